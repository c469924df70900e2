-- The zstd level of archives; 0 stores them uncompressed. Null threads: the agent's default.
alter table backup_tasks
  add compression_level integer not null default 3 check (compression_level between 0 and 19),
  add compression_threads integer check (compression_threads between 1 and 64);
