-- What a backup lacks: databases that could not be dumped, say. Empty: it is complete.
alter table backups add column missing jsonb not null default '[]';
