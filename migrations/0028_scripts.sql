-- Scripts that agents run before and after backups.
create table scripts (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  label text not null,
  type text not null check (type in ('prescript', 'postscript', 'after_success', 'after_failure')),
  script text not null,
  timeout_seconds integer not null check (timeout_seconds > 0),
  run_as text,
  on_failure text not null check (on_failure in ('fail', 'warn')),
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index scripts_user on scripts (user_id, id);

create table backup_task_scripts (
  backup_task_id bigint not null references backup_tasks on delete cascade,
  -- Services refuse to delete a script that a task uses. Deleting a user deletes both.
  script_id bigint not null references scripts on delete cascade,
  position integer not null,
  primary key (backup_task_id, script_id)
);
create index backup_task_scripts_script on backup_task_scripts (script_id);

-- What a run is doing: its scripts, or the transfer itself.
alter table runs add phase text;
-- Seconds that the scripts after the backup may take at most. Null: the run was not dispatched with scripts.
alter table runs add script_seconds integer;

-- Control planes of the version before know no scripts. They leave runs of tasks that have some in the queue, for those
-- that do.
create function keep_scripted_run() returns trigger language plpgsql as $$
begin
  if new.state = 'queued' then
    new.script_seconds := null;
  elsif new.state = 'leased' and old.state = 'queued' and new.kind = 'backup' and new.script_seconds is null
    and exists (select from backup_task_scripts where backup_task_id = new.backup_task_id) then
    return null;
  end if;
  return new;
end
$$;
create trigger runs_keep_scripted before update of state on runs
  for each row execute function keep_scripted_run();

-- A token that had every ability for tasks and streams keeps having all there is.
update tokens set abilities = abilities || array['view-scripts', 'create-scripts', 'update-scripts', 'delete-scripts']
  where abilities @> array['view-backup-tasks', 'create-backup-tasks', 'update-backup-tasks', 'delete-backup-tasks',
    'run-backup-tasks', 'view-remote-servers', 'create-remote-servers', 'update-remote-servers', 'delete-remote-servers',
    'manage-tokens', 'admin'];
