-- When agents were connected. Housekeeping keeps 90 days.
create table server_connections (
  id bigint generated always as identity primary key,
  remote_server_id bigint not null references remote_servers on delete cascade,
  connected_at timestamptz not null,
  -- Null: the agent is still connected.
  disconnected_at timestamptz
);
create index server_connections_server on server_connections (remote_server_id, connected_at) include (disconnected_at);
create unique index server_connections_open on server_connections (remote_server_id) where disconnected_at is null;
create index server_connections_ended on server_connections (disconnected_at);

-- A trigger, because control planes of the version before connect agents, too. An absence of less than a minute is not
-- recorded: agents connect again within seconds when a control plane restarts, and so a bad network adds few rows.
create function record_server_connection() returns trigger language plpgsql as $$
declare
  heard timestamptz;
begin
  if new.connection_id is null then
    -- A control plane that was killed did not record the end: the agent was last heard before its own last heartbeat.
    select heartbeat_at into heard from replicas where id = old.connection_replica_id;
    update server_connections set disconnected_at = greatest(connected_at,
      case when new.last_connected_at is distinct from old.last_connected_at then new.last_connected_at
        else coalesce(heard, now()) end)
    where remote_server_id = new.id and disconnected_at is null;
    return null;
  end if;
  -- Without a new time, the same connection is recorded again, which another control plane had given up.
  update server_connections set disconnected_at = null
  where id = (
    select id from server_connections where remote_server_id = new.id order by connected_at desc, id desc limit 1
  ) and (
    new.connected_at is not distinct from old.connected_at
    or disconnected_at > new.connected_at - interval '1 minute'
  );
  if not found then
    insert into server_connections (remote_server_id, connected_at) values (new.id, coalesce(new.connected_at, now()))
    on conflict do nothing;
  end if;
  return null;
end $$;
create trigger remote_servers_connections after update of connection_id on remote_servers
  for each row when ((old.connection_id is null) <> (new.connection_id is null))
  execute function record_server_connection();

-- The trigger's lock keeps others from changing servers until this is committed.
insert into server_connections (remote_server_id, connected_at)
select id, coalesce(connected_at, now()) from remote_servers where connection_id is not null;
