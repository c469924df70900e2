-- Deleted tasks, streams, scripts and tags, until their deletion can no longer be undone.
create table deleted_records (
  id bigint generated always as identity primary key,
  workspace_id bigint not null references workspaces on delete cascade,
  -- Who deleted the record.
  user_id bigint references users on delete set null,
  -- The type of the record, as in the API's paths.
  kind text not null,
  record_id bigint not null,
  label text not null,
  -- The record's rows, by table, without encrypted values.
  rows jsonb not null,
  -- The encrypted values of the record, by column.
  secrets jsonb not null,
  created_at timestamptz not null,
  deletes_at timestamptz not null,
  unique (kind, record_id)
);
create index deleted_records_workspace on deleted_records (workspace_id, id);
create index deleted_records_user on deleted_records (user_id);
create index deleted_records_deletes_at on deleted_records (deletes_at);

-- The deleted task to which they belonged, while its deletion can be undone.
alter table runs add deleted_task_id bigint;
alter table backups add deleted_task_id bigint;
create index runs_deleted_task on runs (deleted_task_id) where deleted_task_id is not null;
create index backups_deleted_task on backups (deleted_task_id) where deleted_task_id is not null;

create trigger signal_change after insert or delete on deleted_records for each row execute function signal_change('tasks');
