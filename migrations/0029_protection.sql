-- How old a task's newest backup may become, in seconds; null: by the schedule. When the promise began, and when the task
-- is late unless a backup is stored before; null: never, or not computed yet.
alter table backup_tasks
  add max_age integer check (max_age > 0),
  add promised_at timestamptz not null default now(),
  add late_at timestamptz;
update backup_tasks set promised_at = greatest(created_at, source_changed_at, paused_at);
create index backup_tasks_late on backup_tasks (late_at) where paused_at is null;

-- `intermittent`: a machine that is often asleep. Its absence is no fault, and its due runs wait for it.
alter table remote_servers
  add class text not null default 'always_on' check (class in ('always_on', 'intermittent'));
