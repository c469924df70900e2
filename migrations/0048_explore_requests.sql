-- Requests to an agent about its server, and about a restore before it starts.
alter table agent_requests drop constraint agent_requests_kind_check;
alter table agent_requests add constraint agent_requests_kind_check
  check (kind in ('destination.check', 'destination.delete', 'backup.browse', 'backup.find', 'backup.send',
    'server.browse', 'server.databases', 'server.inventory', 'restore.preview'));
