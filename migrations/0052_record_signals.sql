-- Open pages show changes at once: triggers notify every control plane of the kind of records that a transaction has
-- changed, also if a control plane of another version makes the change. Postgres sends equal notifications of a
-- transaction once. src/services/live reads them.

-- For tables with a column `workspace_id`. The argument is the kind.
create function signal_change() returns trigger language plpgsql as $$
begin
  perform pg_notify('rearguard', '{"topic":"records_changed","kind":"' || tg_argv[0] || '","workspace_id":' ||
    case tg_op when 'DELETE' then old.workspace_id else new.workspace_id end || '}');
  return null;
end $$;

-- For tables whose rows belong to a row of another table. The arguments are the kind, that table, and the column that
-- refers to it. If that row is deleted too, its own trigger notifies.
create function signal_part_change() returns trigger language plpgsql as $$
declare
  fields jsonb = case tg_op when 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
  workspace bigint;
begin
  execute format('select workspace_id from %I where id = $1', tg_argv[1]) into workspace
    using (fields ->> tg_argv[2])::bigint;
  if workspace is not null then
    perform pg_notify('rearguard',
      '{"topic":"records_changed","kind":"' || tg_argv[0] || '","workspace_id":' || workspace || '}');
  end if;
  return null;
end $$;

-- For what belongs to one user in every workspace.
create function signal_account_change() returns trigger language plpgsql as $$
begin
  perform pg_notify('rearguard', '{"topic":"records_changed","kind":"access","user_id":' ||
    case tg_op when 'DELETE' then old.user_id else new.user_id end || '}');
  return null;
end $$;

-- For what the pages of every workspace show.
create function signal_change_everywhere() returns trigger language plpgsql as $$
begin
  perform pg_notify('rearguard', '{"topic":"records_changed","kind":"access"}');
  return null;
end $$;

-- A workspace has its id in the column `id`.
create function signal_workspace_change() returns trigger language plpgsql as $$
begin
  perform pg_notify('rearguard', '{"topic":"records_changed","kind":"access","workspace_id":' ||
    case tg_op when 'DELETE' then old.id else new.id end || '}');
  return null;
end $$;

-- Each update compares the columns before and after: an update that changes nothing is not a change. The use of a
-- credential and the lease of a delivery are no changes either.
do $$
declare
  name text;
  call text;
  silent text;
begin
  for name, call, silent in values
    ('backup_tasks', 'signal_change(''tasks'')', ''),
    ('backup_task_tags', 'signal_part_change(''tasks'', ''backup_tasks'', ''backup_task_id'')', ''),
    ('backup_task_scripts', 'signal_part_change(''tasks'', ''backup_tasks'', ''backup_task_id'')', ''),
    ('backup_task_notification_streams', 'signal_part_change(''tasks'', ''backup_tasks'', ''backup_task_id'')', ''),
    ('task_triggers', 'signal_part_change(''tasks'', ''backup_tasks'', ''backup_task_id'')', 'last_used_at'),
    ('skipped_schedules', 'signal_part_change(''tasks'', ''backup_tasks'', ''backup_task_id'')', ''),
    ('tags', 'signal_change(''tasks'')', ''),
    ('scripts', 'signal_change(''tasks'')', ''),
    ('run_warnings', 'signal_part_change(''runs'', ''runs'', ''run_id'')', ''),
    ('backups', 'signal_change(''backups'')', ''),
    ('backup_damages', 'signal_part_change(''backups'', ''backups'', ''backup_id'')', ''),
    ('remote_servers', 'signal_change(''servers'')', 'connection_replica_id'),
    ('enrolment_tokens', 'signal_part_change(''servers'', ''remote_servers'', ''remote_server_id'')', ''),
    ('backup_destinations', 'signal_change(''destinations'')', ''),
    ('alerts', 'signal_change(''alerts'')', ''),
    ('notification_streams', 'signal_change(''alerts'')', 'summary_due_at'),
    ('notification_deliveries', 'signal_part_change(''alerts'', ''notification_streams'', ''notification_stream_id'')',
      'leased_until, batch_id'),
    ('tokens', 'signal_change(''access'')', 'last_used_at'),
    ('workspace_members', 'signal_change(''access'')', ''),
    ('workspaces', 'signal_workspace_change()', ''),
    ('sessions', 'signal_account_change()', 'last_used_at'),
    ('user_passwords', 'signal_account_change()', ''),
    ('passkeys', 'signal_account_change()', 'last_used_at, counter'),
    ('totp_secrets', 'signal_account_change()', 'last_step'),
    ('recovery_codes', 'signal_account_change()', ''),
    ('openid_identities', 'signal_account_change()', 'last_used_at'),
    ('users', 'signal_change_everywhere()', ''),
    ('login_settings', 'signal_change_everywhere()', '')
  loop
    execute format('create trigger signal_change after insert or delete on %I for each row execute function %s',
      name, call);
    execute format('create trigger signal_update after update on %I for each row when (%s) execute function %s', name,
      case silent when '' then 'old.* is distinct from new.*' else format(
        'to_jsonb(old) - %1$L::text[] is distinct from to_jsonb(new) - %1$L::text[]', '{' || silent || '}') end,
      call);
  end loop;
end $$;

create trigger signal_change after insert on audit_log for each row when (new.workspace_id is not null)
  execute function signal_change('access');

-- Runs change most often. A renewed lease or new output is not a change here: a page that shows the output follows it
-- by itself.
create trigger signal_change after insert or delete on runs for each row execute function signal_change('runs');
create trigger signal_update after update on runs for each row when (
  (old.state, old.reason, old.warnings_count, old.bytes_read, old.bytes_written, old.files_count, old.bytes_per_second,
    old.eta_seconds, old.phase, old.waits_for, old.started_at, old.finished_at, old.backup_id, old.timeout_at,
    old.script_seconds, old.attempt, old.backup_task_id)
  is distinct from
  (new.state, new.reason, new.warnings_count, new.bytes_read, new.bytes_written, new.files_count, new.bytes_per_second,
    new.eta_seconds, new.phase, new.waits_for, new.started_at, new.finished_at, new.backup_id, new.timeout_at,
    new.script_seconds, new.attempt, new.backup_task_id)
) execute function signal_change('runs');
