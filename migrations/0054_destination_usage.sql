-- The sizes of the backups at a destination are added up whenever it is shown. The index contains all that this needs.
create index backups_destination_usage on backups (backup_destination_id) include (size, backup_task_id, remote_server_id);
drop index backups_destination;
