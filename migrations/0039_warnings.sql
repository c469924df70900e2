-- The warnings of runs, apart from the output: the middle of a long output is cut out.
create table run_warnings (
  run_id bigint not null references runs on delete cascade,
  -- Number of the event that reported the warnings.
  sequence bigint not null,
  warnings text[] not null,
  -- Characters in all warnings of the row.
  size integer not null,
  primary key (run_id, sequence)
);

-- How many files could not be read. Such a backup never replaces a complete one.
alter table backups add column unreadable_count integer not null default 0;
