-- age public keys that archives are encrypted to, in place of a password.

alter table backup_tasks
  add column encryption_recipients text[] not null default '{}',
  add check (encryption_recipients = '{}' or encryption_password_encrypted is null);

-- Of the hand-over, as the password is.
alter table runs add column encryption_recipients text[] not null default '{}';

alter table backups
  add column encryption text not null default 'none' check (encryption in ('none', 'password', 'recipients')),
  add column encryption_recipients text[] not null default '{}';
update backups set encryption = 'password' where encrypted;
alter table backups
  add check (encrypted = (encryption <> 'none')),
  add check ((encryption = 'recipients') = (encryption_recipients <> '{}')),
  add check (encryption = 'password' or encryption_password_encrypted is null);
