-- The phases of runs with scripts, in order: objects with `phase` and `started_at`. Empty for runs of older versions.
alter table runs add column phases jsonb not null default '[]';
