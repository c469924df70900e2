-- What a person deletes waits in the trash until `deletes_at`; nothing of it is gone before.
alter table backups
  drop constraint backups_removal_reason_check,
  -- `forget`: its record goes and its objects stay, as their place is gone for good.
  add constraint backups_removal_reason_check check (removal_reason in ('retention', 'request', 'forget')),
  -- Null for what a rule removes, and for what was marked before there was a trash.
  add deletes_at timestamptz,
  -- A hold that was released ends then.
  add hold_ends_at timestamptz,
  add check (deletes_at is null or removal_requested_at is not null),
  add check (hold_ends_at is null or held_at is not null);
create index backups_hold_ends on backups (hold_ends_at) where hold_ends_at is not null;

alter table backup_destinations add deletes_at timestamptz;

alter table users add deletes_at timestamptz;
drop index users_email;
create unique index users_email on users (lower(email)) where deletes_at is null;

-- One row: how long the trash keeps what is put there. A shorter time holds once the longer one has passed.
create table trash_settings (
  id boolean primary key default true check (id),
  delay_days integer not null check (delay_days >= 0),
  next_delay_days integer check (next_delay_days >= 0),
  next_from timestamptz,
  -- When administrators were told of the trash last.
  told_at timestamptz,
  check ((next_delay_days is null) = (next_from is null))
);

-- What administrators are not told of yet.
create table trash_news (
  id bigint generated always as identity primary key,
  user_id bigint references users on delete set null,
  event text not null check (event in ('delete', 'forget', 'release')),
  resource text not null,
  resource_id bigint not null,
  ends_at timestamptz not null,
  created_at timestamptz not null
);
