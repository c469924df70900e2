-- Records belong to a workspace. `user_id` of a record says who made it.
create table workspaces (
  id bigint generated always as identity primary key,
  name text not null,
  -- The user whose own workspace this is, which each user has; null for others.
  user_id bigint unique references users on delete cascade,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table workspace_members (
  workspace_id bigint not null references workspaces on delete cascade,
  user_id bigint not null references users on delete cascade,
  -- See src/domain/access/roles.ts.
  role text not null check (role in ('viewer', 'operator', 'restorer', 'manager')),
  created_at timestamptz not null,
  primary key (workspace_id, user_id)
);
create index workspace_members_user on workspace_members (user_id);

-- Returns a user's own workspace, and makes it first if there is none. Control planes of the version before insert users
-- without one.
create function own_workspace(owner bigint) returns bigint language plpgsql as $$
declare
  own bigint;
begin
  select id into own from workspaces where user_id = owner;
  if own is null then
    insert into workspaces (name, user_id, created_at, updated_at)
      select name, id, created_at, created_at from users where id = owner
      on conflict (user_id) do nothing returning id into own;
    if own is null then
      select id into own from workspaces where user_id = owner;
    else
      insert into workspace_members (workspace_id, user_id, role, created_at)
        select own, owner, 'manager', created_at from users where id = owner;
    end if;
  end if;
  return own;
end $$;

do $$ begin
  perform own_workspace(id) from users order by id;
end $$;

-- Control planes of the version before insert records without a workspace. A record then gets the workspace of its task,
-- backup or server, or else the own workspace of its user.
create function assign_workspace() returns trigger language plpgsql as $$
declare
  fields jsonb = to_jsonb(new);
begin
  new.workspace_id = coalesce(
    (select workspace_id from backup_tasks where id = (fields ->> 'backup_task_id')::bigint),
    (select workspace_id from backups where id = (fields ->> 'backup_id')::bigint),
    (select workspace_id from remote_servers where id = (fields ->> 'remote_server_id')::bigint),
    own_workspace(new.user_id)
  );
  return new;
end $$;

do $$
declare
  name text;
begin
  foreach name in array array['tokens', 'tags', 'notification_streams', 'remote_servers', 'backup_destinations', 'scripts',
    'backup_tasks', 'runs', 'backups', 'alerts']
  loop
    execute format('alter table %I add workspace_id bigint', name);
    execute format('update %I t set workspace_id = w.id from workspaces w where w.user_id = t.user_id', name);
    execute format('alter table %I alter workspace_id set not null, add foreign key (workspace_id) references workspaces '
      'on delete cascade', name);
    execute format('create trigger assign_workspace before insert on %I for each row when (new.workspace_id is null) '
      'execute function assign_workspace()', name);
    execute format('create index on %I (workspace_id, id)', name);
  end loop;
end $$;

-- Indexes of listings follow. `tokens_user`, `runs_user` and `backups_user` stay, for the deletion of users.
drop index tags_user, notification_streams_user, remote_servers_user, backup_destinations_user, scripts_user,
  backup_tasks_user, alerts_user, runs_user_created, runs_user_state, runs_user_kind, runs_reason, backups_user_created;
create index runs_workspace_created on runs (workspace_id, created_at, id);
create index runs_workspace_state on runs (workspace_id, state, id);
create index runs_workspace_kind on runs (workspace_id, kind, id);
create index runs_reason on runs (workspace_id, id) where reason is not null;
create index backups_workspace_created on backups (workspace_id, created_at, id);

alter table remote_servers
  drop constraint remote_servers_user_id_ip_address_port_key,
  add constraint remote_servers_address unique (workspace_id, ip_address, port);

-- Where the actor's token belonged to a workspace. No reference: an entry outlives its workspace.
alter table audit_log add workspace_id bigint;
create index audit_log_workspace on audit_log (workspace_id, id);

-- The counts of runs are per workspace. Control planes of the version before read them per user, through a view. They add
-- up nothing there: the triggers make their deletes and inserts do nothing.
alter table run_counts rename to workspace_run_counts;
alter table workspace_run_counts add workspace_id bigint;
update workspace_run_counts c set workspace_id = w.id from workspaces w where w.user_id = c.user_id;
delete from workspace_run_counts where workspace_id is null;
alter table workspace_run_counts alter workspace_id set not null;
create index workspace_run_counts_workspace on workspace_run_counts (workspace_id, span) include (runs);

create or replace function count_new_runs() returns trigger language plpgsql as $$
begin
  insert into workspace_run_counts (workspace_id, user_id, span, runs)
  select workspace_id, user_id, id / 10000, count(*) from changed group by workspace_id, user_id, id / 10000;
  return null;
end
$$;

create or replace function count_deleted_runs() returns trigger language plpgsql as $$
begin
  insert into workspace_run_counts (workspace_id, user_id, span, runs)
  select workspace_id, user_id, id / 10000, -count(*) from changed group by workspace_id, user_id, id / 10000;
  return null;
end
$$;

create or replace function count_no_runs() returns trigger language plpgsql as $$
begin
  delete from workspace_run_counts;
  return null;
end
$$;

create view run_counts as select user_id, span, runs from workspace_run_counts;
create function keep_run_counts() returns trigger language plpgsql as $$
begin
  return null;
end
$$;
create trigger run_counts_kept instead of insert or delete on run_counts
  for each row execute function keep_run_counts();

-- Deleting a user deletes the workspaces that they have for themselves, with all records. Records that they made in
-- workspaces of others pass to another member, a manager if there is one.
create function keep_shared_records() returns trigger language plpgsql as $$
declare
  name text;
begin
  delete from workspaces w
    where exists (select from workspace_members where workspace_id = w.id and user_id = old.id)
      and not exists (select from workspace_members where workspace_id = w.id and user_id <> old.id);
  update workspaces set user_id = null where user_id = old.id;
  foreach name in array array['tags', 'notification_streams', 'remote_servers', 'backup_destinations', 'scripts',
    'backup_tasks', 'runs', 'backups', 'alerts']
  loop
    execute format('update %I t set user_id = (
      select m.user_id from workspace_members m where m.workspace_id = t.workspace_id and m.user_id <> $1
      order by m.role = ''manager'' desc, m.user_id limit 1) where t.user_id = $1', name) using old.id;
  end loop;
  return old;
end $$;
create trigger users_keep_shared_records before delete on users
  for each row execute function keep_shared_records();
