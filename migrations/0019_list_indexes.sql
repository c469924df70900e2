-- Lists of runs that are narrowed or sorted, with a million of them.
create index runs_user_created on runs (user_id, created_at, id);
create index runs_user_state on runs (user_id, state, id);
create index runs_user_kind on runs (user_id, kind, id);
create index runs_server on runs (remote_server_id, id);
create index runs_destination on runs (backup_destination_id, id);
create index runs_reason on runs (user_id, id) where reason is not null;
create index backups_user_created on backups (user_id, created_at, id);
