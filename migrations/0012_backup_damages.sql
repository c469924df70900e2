-- What was found to be wrong with a backup, by each way of looking at it: only what looks as closely takes that back.
-- `backups.damaged_at` and `damage_reason` tell of all of it together.
create table backup_damages (
  backup_id bigint not null references backups on delete cascade,
  found_by text not null check (found_by in ('listing', 'restore', 'verify', 'drill')),
  -- The last time that it was found.
  found_at timestamptz not null,
  reason text not null,
  primary key (backup_id, found_by)
);

insert into backup_damages (backup_id, found_by, found_at, reason)
select id,
  case when exists (
    select from runs r join run_attempts a on a.run_id = r.id
    where r.backup_id = backups.id and r.kind = 'drill' and a.verdict ->> 'damage' is not null
      and a.verdict_at >= backups.damaged_at
  ) then 'drill' else 'verify' end,
  damaged_at, coalesce(damage_reason, 'Damaged.')
from backups where damaged_at is not null;

-- When a deletion that may have taken something of it was begun. Null: nothing of it is gone.
alter table backups add removal_begun_at timestamptz;
-- Of those that were marked before, nobody knows.
update backups set removal_begun_at = removal_requested_at where removal_requested_at is not null;
alter table backups add check (removal_begun_at is null or removal_requested_at is not null);
