-- How many runs each user has among every 10,000 ids, so that no listing counts a million of them or steps over them to a
-- later page: the sum of the rows. Changes are rows of their own, which nobody waits for; housekeeping adds them up. Left
-- without a foreign key: a user's runs are deleted after the user.
create table run_counts (
  user_id bigint not null,
  -- The ids from here on, divided by 10,000.
  span bigint not null,
  runs bigint not null
);
create index run_counts_user on run_counts (user_id, span) include (runs);

create function count_new_runs() returns trigger language plpgsql as $$
begin
  insert into run_counts (user_id, span, runs)
  select user_id, id / 10000, count(*) from changed group by user_id, id / 10000;
  return null;
end
$$;
create trigger runs_count_new after insert on runs
  referencing new table as changed for each statement execute function count_new_runs();

create function count_deleted_runs() returns trigger language plpgsql as $$
begin
  insert into run_counts (user_id, span, runs)
  select user_id, id / 10000, -count(*) from changed group by user_id, id / 10000;
  return null;
end
$$;
create trigger runs_count_deleted after delete on runs
  referencing old table as changed for each statement execute function count_deleted_runs();

create function count_no_runs() returns trigger language plpgsql as $$
begin
  delete from run_counts;
  return null;
end
$$;
create trigger runs_count_none after truncate on runs
  for each statement execute function count_no_runs();

-- The triggers' lock keeps others from writing runs until this is committed.
insert into run_counts (user_id, span, runs)
select user_id, id / 10000, count(*) from runs group by user_id, id / 10000;

-- Housekeeping looks every minute for output to merge.
create index runs_to_compact on runs (finished_at) where finished_at is not null and not output_compacted;
