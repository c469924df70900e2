-- How many backup runs ended with each outcome, in quarters of an hour: the days of every time zone consist of whole
-- quarters. The numbers stay when runs, tasks or servers are deleted. No foreign keys: deleting a task or a server keeps
-- its rows. A trigger deletes the rows of a deleted workspace.
create table run_history (
  workspace_id bigint not null,
  -- What the numbers are about. `scope_id` is its id.
  scope text not null check (scope in ('workspace', 'server', 'task')),
  scope_id bigint not null,
  -- The beginning of the quarter in which the runs were queued. Of skipped due times: in which they were due.
  slot timestamptz not null,
  succeeded integer not null,
  warnings integer not null,
  failed integer not null,
  cancelled integer not null,
  skipped integer not null,
  primary key (workspace_id, scope, scope_id, slot) include (succeeded, warnings, failed, cancelled, skipped)
);
-- Housekeeping deletes old rows.
create index run_history_slot on run_history (slot);

-- Changes of the numbers that housekeeping has not yet added to run_history. Two transactions that change the same number
-- insert a row each, so neither waits for the other.
create table run_history_changes (
  workspace_id bigint not null,
  scope text not null check (scope in ('workspace', 'server', 'task')),
  scope_id bigint not null,
  slot timestamptz not null,
  succeeded integer not null default 0,
  warnings integer not null default 0,
  failed integer not null default 0,
  cancelled integer not null default 0,
  skipped integer not null default 0
);
create index run_history_changes_scope on run_history_changes (workspace_id, scope, scope_id, slot);

create view run_history_with_changes as
  select workspace_id, scope, scope_id, slot, succeeded, warnings, failed, cancelled, skipped from run_history
  union all
  select workspace_id, scope, scope_id, slot, succeeded, warnings, failed, cancelled, skipped from run_history_changes;

create function history_slot(at timestamptz) returns timestamptz language sql immutable as $$
  select date_bin('15 minutes', at, '2000-01-01 00:00:00+00')
$$;

-- Returns the outcome of a run that has ended, otherwise null. src/store/tasks/task_outcome.ts has the same rule.
create function run_outcome(state text, warnings integer, timeout_at timestamptz, finished_at timestamptz)
returns text language sql immutable as $$
  select case
    when state in ('failed', 'lost') or state = 'cancelled' and timeout_at <= finished_at then 'failed'
    when state = 'succeeded' then case when warnings > 0 then 'warnings' else 'succeeded' end
    when state = 'cancelled' then 'cancelled'
  end
$$;

-- Triggers, because control planes of the version before end runs and skip due times, too. A lost run counts as failed until
-- its agent reports another outcome.
create function record_run_outcome() returns trigger language plpgsql as $$
declare
  before text = case tg_op when 'UPDATE' then
    run_outcome(old.state, old.warnings_count, old.timeout_at, old.finished_at) end;
  after text = run_outcome(new.state, new.warnings_count, new.timeout_at, new.finished_at);
begin
  if before is not distinct from after then return null; end if;
  insert into run_history_changes (workspace_id, scope, scope_id, slot, succeeded, warnings, failed, cancelled)
  select new.workspace_id, scopes.scope, scopes.id, history_slot(new.created_at),
    (after is not distinct from 'succeeded')::integer - (before is not distinct from 'succeeded')::integer,
    (after is not distinct from 'warnings')::integer - (before is not distinct from 'warnings')::integer,
    (after is not distinct from 'failed')::integer - (before is not distinct from 'failed')::integer,
    (after is not distinct from 'cancelled')::integer - (before is not distinct from 'cancelled')::integer
  from (values ('workspace', new.workspace_id), ('server', new.remote_server_id), ('task', new.backup_task_id)) scopes (scope, id)
  where scopes.id is not null;
  return null;
end $$;
create trigger runs_history_new after insert on runs
  for each row when (new.kind = 'backup' and new.finished_at is not null) execute function record_run_outcome();
create trigger runs_history_ended after update of state on runs
  for each row when (new.kind = 'backup' and new.state <> old.state) execute function record_run_outcome();

create function record_skipped_schedules() returns trigger language plpgsql as $$
begin
  insert into run_history_changes (workspace_id, scope, scope_id, slot, skipped)
  select t.workspace_id, scopes.scope, scopes.id, history_slot(changed.due_at), 1
  from changed join backup_tasks t on t.id = changed.backup_task_id
  cross join lateral (values ('workspace', t.workspace_id), ('server', t.remote_server_id), ('task', t.id)) scopes (scope, id);
  return null;
end $$;
create trigger skipped_schedules_history after insert on skipped_schedules
  referencing new table as changed for each statement execute function record_skipped_schedules();

create function delete_run_history() returns trigger language plpgsql as $$
begin
  delete from run_history where workspace_id = old.id;
  delete from run_history_changes where workspace_id = old.id;
  return null;
end $$;
create trigger workspaces_run_history after delete on workspaces
  for each row execute function delete_run_history();

-- The triggers' locks keep others from changing runs until this is committed.
insert into run_history (workspace_id, scope, scope_id, slot, succeeded, warnings, failed, cancelled, skipped)
select each.workspace_id, scopes.scope, scopes.id, each.slot,
  count(*) filter (where outcome = 'succeeded'), count(*) filter (where outcome = 'warnings'),
  count(*) filter (where outcome = 'failed'), count(*) filter (where outcome = 'cancelled'),
  count(*) filter (where outcome = 'skipped')
from (
  select workspace_id, remote_server_id, backup_task_id, history_slot(created_at) as slot,
    run_outcome(state, warnings_count, timeout_at, finished_at) as outcome
  from runs where kind = 'backup' and finished_at is not null
  union all
  select t.workspace_id, t.remote_server_id, t.id, history_slot(s.due_at), 'skipped'
  from skipped_schedules s join backup_tasks t on t.id = s.backup_task_id
) each
cross join lateral (
  values ('workspace', each.workspace_id), ('server', each.remote_server_id), ('task', each.backup_task_id)
) scopes (scope, id)
where scopes.id is not null
group by 1, 2, 3, 4;
