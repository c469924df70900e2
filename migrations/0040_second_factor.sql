-- The secret that a user's authenticator app shares. It counts as a second factor once it is confirmed.
create table totp_secrets (
  user_id bigint primary key references users on delete cascade,
  secret_encrypted text not null,
  created_at timestamptz not null,
  confirmed_at timestamptz,
  -- The time step of the last accepted code: neither this one nor an earlier one is accepted again.
  last_step bigint not null default 0
);

create table recovery_codes (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  code_hash text not null,
  created_at timestamptz not null,
  used_at timestamptz,
  unique (user_id, code_hash)
);

create table login_settings (
  id boolean primary key default true check (id),
  second_factor_required boolean not null default false
);
insert into login_settings default values;
