-- When the token of a trigger was last used, to the minute.
alter table task_triggers add last_used_at timestamptz;

-- Runs that a trigger's token started. Every stored run meets the wider rule, so that no row is read again.
alter table runs
  drop constraint runs_trigger_check,
  add constraint runs_trigger_check check (trigger in ('manual', 'schedule', 'webhook')) not valid;
