-- Notification streams fail, pause and recover each by itself.
alter table notification_streams
  -- Nothing is sent before: after a message, a failure, or because the other side asked for it.
  add next_attempt_at timestamptz,
  -- Attempts that have failed since the last message that was taken.
  add failures integer not null default 0,
  -- When the first of them failed.
  add failing_since timestamptz;
-- Deliveries that are sent as one message; null before the first attempt.
alter table notification_deliveries add batch_id uuid;

-- Conditions that last, such as a task that fails: the first occurrence is told, later ones once a day, and the end.
create table alerts (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  -- Of src/domain/alert.ts.
  kind text not null,
  -- What it is about, such as `task 3`: one alert of a kind is open for it at a time.
  subject text not null,
  backup_task_id bigint references backup_tasks on delete cascade,
  remote_server_id bigint references remote_servers on delete cascade,
  reason text,
  occurrences integer not null default 1,
  opened_at timestamptz not null,
  last_occurred_at timestamptz not null,
  -- The occurrence that was told last; null where nobody was to be told.
  told_at timestamptz,
  closed_at timestamptz
);
create unique index alerts_open on alerts (kind, subject) where closed_at is null;
create index alerts_user on alerts (user_id, id);
create index alerts_closed on alerts (closed_at) where closed_at is not null;
create index alerts_task on alerts (backup_task_id) where backup_task_id is not null;
create index alerts_server on alerts (remote_server_id) where remote_server_id is not null;
