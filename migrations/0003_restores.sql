-- Runs that read a backup: which one, and what was asked for (src/domain/restore.ts).
alter table runs add column backup_id bigint references backups on delete set null;
alter table runs add column options jsonb;
create index runs_backup on runs (backup_id) where backup_id is not null;

-- What the agent told of the source, as in the manifest; null for backups of older agents.
alter table backups add column source jsonb;
