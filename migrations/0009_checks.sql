-- Proof that backups can be restored: verifications read them back, drills restore them. Days; 0: never by itself.
alter table backup_tasks
  add verify_every integer not null default 7 check (verify_every >= 0),
  add drill_every integer not null default 30 check (drill_every >= 0),
  -- The last verification of any of its backups that came to an answer.
  add last_checked_at timestamptz,
  -- When the schedule last asked for a drill: one that failed is not asked for all the time.
  add drill_queued_at timestamptz,
  -- Of the last drill that proved a backup of the task, which may be gone by now.
  add last_proven_at timestamptz,
  add restore_duration_ms bigint check (restore_duration_ms >= 0);

alter table backups
  -- The last verification that came to an answer, whichever.
  add checked_at timestamptz,
  -- When the schedule last asked for one: what could not be found out is not asked for all the time.
  add verification_queued_at timestamptz,
  -- Of the last drill, the restore itself.
  add drill_duration_ms bigint check (drill_duration_ms >= 0);

create unique index runs_one_active_check on runs (backup_id, kind)
  where kind in ('verify', 'drill') and finished_at is null;
