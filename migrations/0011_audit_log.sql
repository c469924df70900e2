-- Who did what, when and from where. Nothing here refers to other tables: an entry outlives what it names.
create table audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  -- `command`: an admin command on a machine of the control plane's. `unknown`: nobody that is known.
  actor text not null check (actor in ('user', 'agent', 'system', 'command', 'unknown')),
  user_id bigint,
  token_id bigint,
  remote_server_id bigint,
  -- As it was called then: the user's address, the server's label, the system's user.
  actor_name text,
  -- An operation of the API's document, or an event of src/services/audit_log.ts.
  action text not null,
  -- As in the API's paths: `backup-tasks`.
  resource text,
  resource_id bigint,
  -- Names of what was sent, without what they were set to.
  fields text[] not null default '{}',
  result text not null check (result in ('done', 'refused', 'failed')),
  reason text,
  address text,
  -- As the caller, or a proxy before us, named the request; or a UUID.
  request_id text
);
create index audit_log_at on audit_log (at);
create index audit_log_user on audit_log (user_id, id);
create index audit_log_action on audit_log (action, id);
create index audit_log_resource on audit_log (resource, resource_id, id);

-- Entries are never changed. Those that are old may be deleted, no others: not by the program, not by its bugs, not by
-- whoever can make it run their SQL.
create function keep_audit_log() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and old.at < now() - interval '90 days' then
    return old;
  end if;
  -- What loads an export empties the tables of a new database first.
  if tg_op = 'TRUNCATE' and not exists (select from audit_log) then
    return null;
  end if;
  raise exception 'Cannot % the audit log: entries are kept as they are, and for 90 days at least', lower(tg_op);
end
$$;
create trigger audit_log_kept before update or delete on audit_log for each row execute function keep_audit_log();
create trigger audit_log_whole before truncate on audit_log for each statement execute function keep_audit_log();

-- Ids of the keys that a control plane holds, the one it seals with first.
alter table replicas add key_ids text[] not null default '{}';

-- Changes of the key that seals secrets. One that was cut off is gone on with.
create table key_rotations (
  id bigint generated always as identity primary key,
  new_key_id text not null,
  started_at timestamptz not null,
  finished_at timestamptz
);
create unique index key_rotations_open on key_rotations ((true)) where finished_at is null;
