-- The definitions of source types (src/definitions/sources) say which types there are.
alter table backup_tasks drop constraint backup_tasks_type_check;
alter table backup_tasks drop constraint backup_tasks_database_type_check;
