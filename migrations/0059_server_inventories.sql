-- What a server has that could be backed up, as its agent last reported it. A row is made when the agent is first asked.
create table server_inventories (
  remote_server_id bigint primary key references remote_servers (id) on delete cascade,
  -- Null until the agent has answered for the first time.
  items jsonb,
  notes jsonb not null default '[]',
  inventoried_at timestamptz,
  requested_at timestamptz not null,
  -- Ids of the items that a person does not want to be backed up.
  dismissed text[] not null default '{}'
);

create trigger signal_change after insert or delete on server_inventories for each row
  execute function signal_part_change('servers', 'remote_servers', 'remote_server_id');
create trigger signal_update after update on server_inventories for each row
  when (old.inventoried_at is distinct from new.inventoried_at or old.dismissed <> new.dismissed)
  execute function signal_part_change('servers', 'remote_servers', 'remote_server_id');
