create table passkeys (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  name text not null,
  -- In base64url, as the browser names it.
  credential_id text not null unique,
  public_key bytea not null,
  -- How often the authenticator has signed, as it says; 0 if it does not count.
  counter bigint not null,
  transports text[] not null default '{}',
  created_at timestamptz not null,
  last_used_at timestamptz
);
create index passkeys_user on passkeys (user_id, id);
