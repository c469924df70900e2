-- When next_run_at was planned: a time ahead of the clock shows that it was planned on a clock that was ahead. Null:
-- before this migration; these are planned anew once.
alter table backup_tasks add planned_at timestamptz;
create index backup_tasks_planned on backup_tasks (planned_at);
