-- Seconds between two messages of a stream about the same problem; 0: none after the first. Null: 23 hours.
alter table notification_streams
  add remind_after integer check (remind_after >= 0);

-- When a problem was last reported to a stream. A control plane of the version before stores only alerts.told_at.
create table alert_reports (
  alert_id bigint not null references alerts on delete cascade,
  notification_stream_id bigint not null references notification_streams on delete cascade,
  told_at timestamptz not null,
  primary key (alert_id, notification_stream_id)
);
create index alert_reports_stream on alert_reports (notification_stream_id);

-- The log of a stream's deliveries.
create index notification_deliveries_stream on notification_deliveries (notification_stream_id, id);
