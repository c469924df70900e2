-- Seconds; null: the control plane's default.
alter table backup_tasks
  -- A run of which nothing moves for so long is told of, and for so long is ended.
  add stall_warning integer check (stall_warning > 0),
  add stall_timeout integer check (stall_timeout > 0),
  -- How long a dump waits for a lock in its database.
  add lock_wait_timeout integer check (lock_wait_timeout > 0),
  -- A run that is queued for so long is told of.
  add overdue_after integer check (overdue_after > 0);
-- Seconds after which an agent that is away is told of; 0: never; null: the control plane's default.
alter table remote_servers add offline_alert_after integer check (offline_alert_after >= 0);
alter table runs
  -- When anything of the run moved last: bytes, files, output, its programs. Null before it began.
  add moved_at timestamptz,
  -- What it waits for while nothing moves, as its agent says; null where that is not known.
  add waits_for text;
update runs set moved_at = now() where state = 'running';
create index skipped_schedules_task on skipped_schedules (backup_task_id, created_at);
