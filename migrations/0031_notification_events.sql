-- The classes of events that a stream gets or does not get, against its flags on_success and on_failure:
-- `{"late": false}`. A control plane of the version before reads the flags alone.
alter table notification_streams add events jsonb not null default '{}';
