-- Passwords of users. A user without a row has none.
create table user_passwords (
  user_id bigint primary key references users on delete cascade,
  -- Argon2id in PHC format, with its parameters and salt.
  hash text not null,
  changed_at timestamptz not null
);

create table sessions (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  -- The workspace in which the user acts; null: their own.
  workspace_id bigint references workspaces on delete set null,
  token_hash text not null unique,
  created_at timestamptz not null,
  -- When the user last proved who they are: some actions need that to be recent.
  authenticated_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  address text,
  -- The address, or the /64 network of an IPv6 address.
  network text,
  user_agent text
);
create index sessions_user on sessions (user_id, id);
create index sessions_age on sessions (expires_at);

-- Secrets that work once and for a short time, such as set-up links.
create table login_challenges (
  id bigint generated always as identity primary key,
  purpose text not null,
  user_id bigint references users on delete cascade,
  token_hash text not null unique,
  data jsonb not null default '{}',
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index login_challenges_user on login_challenges (user_id);
create index login_challenges_age on login_challenges (expires_at);

-- A key belongs to a token or to a session. Control planes of an older version know tokens only, and find the
-- unique index that their statements name.
alter table idempotency_keys
  add session_id bigint references sessions on delete cascade,
  drop constraint idempotency_keys_pkey,
  alter token_id drop not null,
  add constraint idempotency_keys_owner check (num_nonnulls(token_id, session_id) = 1);
create unique index idempotency_keys_token on idempotency_keys (token_id, key);
create unique index idempotency_keys_session on idempotency_keys (session_id, key);

alter table audit_log add session_id bigint;
