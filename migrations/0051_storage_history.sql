-- How many backups, and how many stored bytes, were added and removed in quarters of an hour, as in run_history. A backup
-- counts as removed once its objects are gone, so what waits in the trash is still stored. What was stored at a moment is
-- the sum of everything before it.
create table storage_history (
  workspace_id bigint not null,
  -- What the numbers are about. `scope_id` is its id.
  scope text not null check (scope in ('workspace', 'destination', 'task')),
  scope_id bigint not null,
  -- The beginning of the quarter. Housekeeping adds up old quarters in one row, whose slot is -infinity.
  slot timestamptz not null,
  added_count integer not null,
  added_bytes bigint not null,
  removed_count integer not null,
  removed_bytes bigint not null,
  primary key (workspace_id, scope, scope_id, slot) include (added_count, added_bytes, removed_count, removed_bytes)
);
create index storage_history_slot on storage_history (slot);

-- Changes of the numbers that housekeeping has not yet added to storage_history.
create table storage_history_changes (
  workspace_id bigint not null,
  scope text not null check (scope in ('workspace', 'destination', 'task')),
  scope_id bigint not null,
  slot timestamptz not null,
  added_count integer not null default 0,
  added_bytes bigint not null default 0,
  removed_count integer not null default 0,
  removed_bytes bigint not null default 0
);
create index storage_history_changes_scope on storage_history_changes (workspace_id, scope, scope_id, slot);

create view storage_history_with_changes as
  select workspace_id, scope, scope_id, slot, added_count, added_bytes, removed_count, removed_bytes from storage_history
  union all
  select workspace_id, scope, scope_id, slot, added_count, added_bytes, removed_count, removed_bytes
  from storage_history_changes;

-- Triggers, because control planes of the version before store and remove backups, too.
create function record_added_backups() returns trigger language plpgsql as $$
begin
  insert into storage_history_changes (workspace_id, scope, scope_id, slot, added_count, added_bytes)
  select changed.workspace_id, scopes.scope, scopes.id, history_slot(changed.created_at), count(*), sum(changed.size)
  from changed cross join lateral (
    values ('workspace', changed.workspace_id), ('destination', changed.backup_destination_id), ('task', changed.backup_task_id)
  ) scopes (scope, id)
  where scopes.id is not null group by 1, 2, 3, 4;
  return null;
end $$;
create trigger backups_history_added after insert on backups
  referencing new table as changed for each statement execute function record_added_backups();

create function record_removed_backups() returns trigger language plpgsql as $$
begin
  insert into storage_history_changes (workspace_id, scope, scope_id, slot, removed_count, removed_bytes)
  select changed.workspace_id, scopes.scope, scopes.id, history_slot(coalesce(changed.removal_begun_at, now())),
    count(*), sum(changed.size)
  from changed cross join lateral (
    values ('workspace', changed.workspace_id), ('destination', changed.backup_destination_id), ('task', changed.backup_task_id)
  ) scopes (scope, id)
  where scopes.id is not null group by 1, 2, 3, 4;
  return null;
end $$;
create trigger backups_history_removed after delete on backups
  referencing old table as changed for each statement execute function record_removed_backups();

create function delete_storage_history() returns trigger language plpgsql as $$
begin
  delete from storage_history where workspace_id = old.id;
  delete from storage_history_changes where workspace_id = old.id;
  return null;
end $$;
create trigger workspaces_storage_history after delete on workspaces
  for each row execute function delete_storage_history();

-- The triggers' locks keep others from changing backups until this is committed. Nothing says when backups were removed that
-- are gone already, so they count as removed in the quarter in which they were stored.
insert into storage_history (workspace_id, scope, scope_id, slot, added_count, added_bytes, removed_count, removed_bytes)
select each.workspace_id, scopes.scope, scopes.id, each.slot, count(*), sum(size),
  count(*) filter (where is_gone), coalesce(sum(size) filter (where is_gone), 0)
from (
  select workspace_id, backup_destination_id, backup_task_id, history_slot(created_at) as slot, size, false as is_gone
  from backups
  union all
  select workspace_id, backup_destination_id, backup_task_id, history_slot(finished_at), bytes_written, true
  from runs
  where kind = 'backup' and state = 'succeeded' and bytes_written > 0
    and not exists (select from backups where run_id = runs.id)
) each
cross join lateral (
  values ('workspace', each.workspace_id), ('destination', each.backup_destination_id), ('task', each.backup_task_id)
) scopes (scope, id)
where scopes.id is not null
group by 1, 2, 3, 4;
