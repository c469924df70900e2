-- Times are timestamptz in UTC, sizes are bytes, secrets end in _encrypted (see src/secrets/keyring.ts),
-- hashes are lower-case hex SHA-256.

create table replicas (
  id uuid primary key,
  started_at timestamptz not null,
  heartbeat_at timestamptz not null
);

create table users (
  id bigint generated always as identity primary key,
  name text not null,
  email text not null,
  timezone text not null default 'UTC',
  language text not null default 'en',
  is_admin boolean not null default false,
  weekly_summary_enabled boolean not null default false,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create unique index users_email on users (lower(email));

create table tokens (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  name text not null,
  abilities text[] not null,
  token_hash text not null unique,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index tokens_user on tokens (user_id, id);

create table idempotency_keys (
  token_id bigint not null references tokens on delete cascade,
  key text not null,
  -- SHA-256 of method, path and body.
  request_hash text not null,
  -- Null while the first call is still at work.
  status smallint,
  response text,
  -- The answer held a token shown once: it can't be replayed.
  is_secret boolean not null default false,
  created_at timestamptz not null,
  primary key (token_id, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);

create table tags (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  label text not null,
  description text,
  colour text,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index tags_user on tags (user_id, id);

create table notification_streams (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  label text not null,
  type text not null,
  value_encrypted text not null,
  on_success boolean not null default true,
  on_failure boolean not null default true,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index notification_streams_user on notification_streams (user_id, id);

create table remote_servers (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  label text not null,
  ip_address text not null,
  username text,
  port integer not null default 22 check (port between 1 and 65535),
  database_password_encrypted text,
  -- Backup runs at once on this server.
  runs_at_once integer not null default 1 check (runs_at_once >= 1),
  agent_key_hash text unique,
  agent_enrolled_at timestamptz,
  -- What the agent said of itself in its last hello.
  agent_description jsonb,
  agent_protocol integer,
  -- The socket that is up: which replica holds it.
  connection_id uuid,
  connection_replica_id uuid references replicas on delete set null,
  connected_at timestamptz,
  last_connected_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (user_id, ip_address, port)
);
create index remote_servers_user on remote_servers (user_id, id);

create table enrolment_tokens (
  id bigint generated always as identity primary key,
  remote_server_id bigint not null references remote_servers on delete cascade,
  token_hash text not null unique,
  expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null
);

create table backup_destinations (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  label text not null,
  type text not null check (type in ('local', 's3', 'custom_s3', 'sftp')),
  local_path text,
  s3_access_key_encrypted text,
  s3_secret_key_encrypted text,
  s3_bucket_name text,
  s3_region text,
  s3_endpoint text,
  path_style_endpoint boolean not null default false,
  sftp_host text,
  sftp_port integer check (sftp_port between 1 and 65535),
  sftp_username text,
  sftp_password_encrypted text,
  sftp_private_key_encrypted text,
  sftp_host_key text,
  sftp_path text,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index backup_destinations_user on backup_destinations (user_id, id);

create table backup_tasks (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  remote_server_id bigint not null references remote_servers,
  backup_destination_id bigint not null references backup_destinations,
  label text not null,
  description text,
  type text not null check (type in ('files', 'database')),
  source_path text,
  excluded_paths text[] not null default '{}',
  allow_unreadable boolean not null default false,
  database_name text,
  database_type text check (database_type in ('postgresql', 'mysql')),
  database_host text,
  database_port integer check (database_port between 1 and 65535),
  database_username text,
  database_password_encrypted text,
  database_format text not null default 'custom' check (database_format in ('custom', 'plain')),
  excluded_database_tables text,
  frequency text check (frequency in ('daily', 'weekly')),
  time_to_run_at text check (time_to_run_at ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  weekday smallint check (weekday between 0 and 6),
  custom_cron_expression text,
  timezone text not null,
  maximum_backups_to_keep integer not null default 0 check (maximum_backups_to_keep >= 0),
  appended_file_name text,
  store_path text,
  isolated_username text,
  isolated_password_encrypted text,
  encryption_password_encrypted text,
  -- Seconds; null for none.
  run_timeout integer check (run_timeout > 0),
  paused_at timestamptz,
  -- When the scheduler acts next; null only for a cron that never comes again.
  next_run_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check (type <> 'files' or source_path is not null),
  check (type <> 'database' or database_name is not null),
  check ((custom_cron_expression is null) = (frequency is not null)),
  check ((frequency is null) = (time_to_run_at is null)),
  check ((frequency is not distinct from 'weekly') = (weekday is not null))
);
create index backup_tasks_user on backup_tasks (user_id, id);
create index backup_tasks_due on backup_tasks (next_run_at) where paused_at is null;
create index backup_tasks_server on backup_tasks (remote_server_id);
create index backup_tasks_destination on backup_tasks (backup_destination_id);

create table backup_task_tags (
  backup_task_id bigint not null references backup_tasks on delete cascade,
  tag_id bigint not null references tags on delete cascade,
  primary key (backup_task_id, tag_id)
);
create index backup_task_tags_tag on backup_task_tags (tag_id);

create table backup_task_notification_streams (
  backup_task_id bigint not null references backup_tasks on delete cascade,
  notification_stream_id bigint not null references notification_streams on delete cascade,
  primary key (backup_task_id, notification_stream_id)
);
create index backup_task_notification_streams_stream
  on backup_task_notification_streams (notification_stream_id);

-- One execution. The states and their order are in src/domain/run.ts.
create table runs (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  kind text not null check (kind in ('backup', 'restore', 'verify', 'drill', 'delete', 'install')),
  backup_task_id bigint references backup_tasks on delete set null,
  remote_server_id bigint references remote_servers on delete set null,
  backup_destination_id bigint references backup_destinations on delete set null,
  trigger text not null check (trigger in ('manual', 'schedule')),
  -- The due time that made it; null when run by hand.
  scheduled_for timestamptz,
  state text not null check (
    state in ('queued', 'leased', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled', 'lost')
  ),
  -- The newest hand-over; 0 before the first.
  attempt integer not null default 0,
  -- When the state ends by itself: start deadline, acceptance, lease with its grace, or cancel.
  deadline_at timestamptz,
  -- The last word from the agent plus the lease; null before it accepted.
  lease_expires_at timestamptz,
  -- When the task's run timeout ends it.
  timeout_at timestamptz,
  -- Of the hand-over: the task may change while the run goes on.
  object_directory text,
  object_prefix text,
  object_stamp text,
  encryption_password_encrypted text,
  reason text,
  warnings_count integer not null default 0,
  bytes_read bigint not null default 0,
  bytes_written bigint not null default 0,
  files_count bigint,
  bytes_per_second double precision,
  eta_seconds double precision,
  -- The newest event stored of the current attempt.
  last_sequence bigint not null default 0,
  -- Characters of output ever received, and how many of them the cap cut out.
  output_size bigint not null default 0,
  output_cut bigint not null default 0,
  output_compacted boolean not null default false,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  check ((state in ('succeeded', 'failed', 'cancelled', 'lost')) = (finished_at is not null)),
  check ((state in ('succeeded', 'failed', 'cancelled', 'lost')) = (deadline_at is null)),
  check (state <> 'succeeded' or reason is null)
);
create unique index runs_one_active_backup on runs (backup_task_id)
  where kind = 'backup' and state in ('queued', 'leased', 'running', 'cancelling');
create index runs_user on runs (user_id, id);
create index runs_task on runs (backup_task_id, id);
create index runs_queued on runs (remote_server_id, id) where state = 'queued';
create index runs_active on runs (remote_server_id) where state in ('leased', 'running', 'cancelling');
create index runs_deadline on runs (deadline_at) where deadline_at is not null;
create index runs_timeout on runs (timeout_at) where state = 'running' and timeout_at is not null;

create table run_attempts (
  run_id bigint not null references runs on delete cascade,
  attempt integer not null,
  remote_server_id bigint references remote_servers on delete set null,
  leased_at timestamptz not null,
  accepted_at timestamptz,
  -- What the agent said in the end, kept even when it came too late to count.
  verdict jsonb,
  verdict_at timestamptz,
  verdict_applied boolean,
  primary key (run_id, attempt)
);

-- Output, once per (run, sequence). When the run has ended, chunks are merged: `sequences` and `ends` then hold each
-- event's number and where its text ends, in characters.
create table run_output (
  run_id bigint not null references runs on delete cascade,
  sequence bigint not null,
  text text not null,
  sequences bigint[],
  ends integer[],
  primary key (run_id, sequence)
);

-- Due times that came while the task's run was active.
create table skipped_schedules (
  backup_task_id bigint not null references backup_tasks on delete cascade,
  due_at timestamptz not null,
  active_run_id bigint references runs on delete set null,
  created_at timestamptz not null,
  primary key (backup_task_id, due_at)
);

-- What a successful backup run stored.
create table backups (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  backup_task_id bigint references backup_tasks on delete set null,
  run_id bigint references runs on delete set null,
  backup_destination_id bigint not null references backup_destinations,
  remote_server_id bigint references remote_servers on delete set null,
  -- Where the objects are: absolute path, or key prefix for S3.
  directory text not null,
  -- The first archive's name; the manifest names them all.
  file_name text not null,
  -- Sum of the archives, as stored.
  size bigint not null,
  sha256 text not null,
  engine text not null,
  encrypted boolean not null,
  -- The password it was made with: the task's may change later.
  encryption_password_encrypted text,
  bytes_read bigint not null,
  files_count bigint,
  warnings_count integer not null,
  duration_ms bigint not null,
  created_at timestamptz not null,
  verified_at timestamptz,
  proven_at timestamptz,
  -- Marked for removal; the row stays until every object is confirmed gone.
  removal_requested_at timestamptz,
  removal_reason text check (removal_reason in ('retention', 'request')),
  removal_attempts integer not null default 0,
  removal_error text,
  next_removal_at timestamptz,
  check ((removal_requested_at is null) = (removal_reason is null))
);
create index backups_user on backups (user_id, id);
create index backups_task on backups (backup_task_id, created_at desc, id desc);
create index backups_destination on backups (backup_destination_id);
create index backups_removal on backups (next_removal_at) where removal_requested_at is not null;

create table backup_objects (
  backup_id bigint not null references backups on delete cascade,
  ordinal integer not null,
  role text not null check (role in ('archive', 'index', 'manifest')),
  name text not null,
  size bigint not null,
  sha256 text not null,
  database_name text,
  primary key (backup_id, ordinal)
);

-- Multipart uploads opened for agents. `completed` ones of a run that did not succeed are removed too.
create table uploads (
  id uuid primary key,
  run_id bigint not null references runs on delete cascade,
  attempt integer not null,
  backup_destination_id bigint not null references backup_destinations,
  object_key text not null,
  s3_upload_id text not null,
  part_size bigint not null,
  state text not null check (state in ('open', 'completed', 'removed')),
  size bigint,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index uploads_run on uploads (run_id);

-- Objects that dead runs may have left behind, removed and retried until they are gone.
create table leftovers (
  id bigint generated always as identity primary key,
  run_id bigint references runs on delete set null,
  backup_destination_id bigint not null references backup_destinations on delete cascade,
  remote_server_id bigint references remote_servers on delete cascade,
  -- Set for S3: the multipart upload to abort and its object to delete.
  upload_id uuid references uploads on delete cascade,
  directory text not null,
  name text not null,
  attempts integer not null default 0,
  error text,
  next_removal_at timestamptz not null,
  created_at timestamptz not null
);
create index leftovers_due on leftovers (next_removal_at);

-- What services ask of an agent. The payload names records, never secrets: those are added on delivery.
create table agent_requests (
  id bigint generated always as identity primary key,
  remote_server_id bigint not null references remote_servers on delete cascade,
  kind text not null check (kind in ('destination.check', 'destination.delete')),
  payload jsonb not null,
  state text not null check (state in ('waiting', 'sent', 'answered', 'failed')),
  deadline_at timestamptz not null,
  result jsonb,
  error text,
  created_at timestamptz not null,
  answered_at timestamptz
);
create index agent_requests_waiting on agent_requests (remote_server_id, id) where state = 'waiting';
create index agent_requests_age on agent_requests (created_at);
