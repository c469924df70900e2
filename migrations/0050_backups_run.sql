-- Records of runs name the backup that the run stored.
create index backups_run on backups (run_id) where run_id is not null;
