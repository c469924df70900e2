-- The last verifications and drills of each task, among many backup runs.
create index runs_checks on runs (backup_task_id, kind, id) where kind in ('verify', 'drill') and finished_at is not null;
