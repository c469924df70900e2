-- The control plane's own database as a source.
alter table backup_tasks drop constraint backup_tasks_type_check;
alter table backup_tasks add constraint backup_tasks_type_check check (type in ('files', 'database', 'control_plane'));
