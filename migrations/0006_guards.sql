-- What a task does where a backup looks wrong beside its last ones; what "wrong" is: src/domain/guards.ts.
alter table backup_tasks
  add column on_shrink text not null default 'warn' check (on_shrink in ('warn', 'fail', 'ignore')),
  add column on_incompressible text not null default 'warn' check (on_incompressible in ('warn', 'fail', 'ignore')),
  -- Backups of before do not compare with those that follow. Null: as it was created.
  add column source_changed_at timestamptz;

alter table backups
  -- From 0 to 1; null where the agent did not measure it.
  add column incompressible_share double precision check (incompressible_share between 0 and 1);
