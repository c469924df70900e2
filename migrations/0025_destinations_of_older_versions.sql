-- Control planes of the version before 0023 still read and write the columns of each setting during an update. They were
-- generated, so that such a control plane could not change a destination or replace a key. Now they are plain columns, and
-- this trigger keeps them equal to settings and secrets: a statement that changes only these columns is theirs. A later
-- version drops them.
alter table backup_destinations
  alter local_path drop expression,
  alter s3_access_key_encrypted drop expression,
  alter s3_secret_key_encrypted drop expression,
  alter s3_bucket_name drop expression,
  alter s3_region drop expression,
  alter s3_endpoint drop expression,
  alter path_style_endpoint drop expression,
  alter sftp_host drop expression,
  alter sftp_port drop expression,
  alter sftp_username drop expression,
  alter sftp_password_encrypted drop expression,
  alter sftp_private_key_encrypted drop expression,
  alter sftp_host_key drop expression,
  alter sftp_path drop expression;

create function backup_destinations_older_columns() returns trigger language plpgsql as $$
declare
  is_older boolean = case tg_op
    when 'INSERT' then new.settings = '{}' and new.secrets = '{}'
    else new.settings = old.settings and new.secrets = old.secrets and (
      new.local_path, new.s3_access_key_encrypted, new.s3_secret_key_encrypted, new.s3_bucket_name,
      new.s3_region, new.s3_endpoint, new.path_style_endpoint, new.sftp_host, new.sftp_port,
      new.sftp_username, new.sftp_password_encrypted, new.sftp_private_key_encrypted, new.sftp_host_key,
      new.sftp_path
    ) is distinct from (
      old.local_path, old.s3_access_key_encrypted, old.s3_secret_key_encrypted, old.s3_bucket_name,
      old.s3_region, old.s3_endpoint, old.path_style_endpoint, old.sftp_host, old.sftp_port,
      old.sftp_username, old.sftp_password_encrypted, old.sftp_private_key_encrypted, old.sftp_host_key,
      old.sftp_path
    )
  end;
begin
  if is_older then
    new.settings = jsonb_strip_nulls(case new.type
      when 'local' then jsonb_build_object('local_path', new.local_path)
      when 'sftp' then jsonb_build_object(
        'sftp_host', new.sftp_host,
        'sftp_port', coalesce(new.sftp_port, 22),
        'sftp_username', new.sftp_username,
        'sftp_host_key', new.sftp_host_key,
        'sftp_path', new.sftp_path
      )
      when 's3' then jsonb_build_object(
        's3_bucket_name', new.s3_bucket_name,
        's3_region', new.s3_region,
        'path_style_endpoint', coalesce(new.path_style_endpoint, false)
      )
      when 'custom_s3' then jsonb_build_object(
        's3_bucket_name', new.s3_bucket_name,
        's3_region', new.s3_region,
        's3_endpoint', new.s3_endpoint,
        'path_style_endpoint', coalesce(new.path_style_endpoint, false)
      )
      else new.settings
    end);
    new.secrets = jsonb_strip_nulls(case
      when new.type = 'local' then '{}'
      when new.type = 'sftp' then jsonb_build_object(
        'sftp_password', new.sftp_password_encrypted,
        'sftp_private_key', new.sftp_private_key_encrypted
      )
      when new.type in ('s3', 'custom_s3') then jsonb_build_object(
        's3_access_key', new.s3_access_key_encrypted,
        's3_secret_key', new.s3_secret_key_encrypted
      )
      else new.secrets
    end);
  end if;
  new.local_path = new.settings ->> 'local_path';
  new.s3_access_key_encrypted = new.secrets ->> 's3_access_key';
  new.s3_secret_key_encrypted = new.secrets ->> 's3_secret_key';
  new.s3_bucket_name = new.settings ->> 's3_bucket_name';
  new.s3_region = new.settings ->> 's3_region';
  new.s3_endpoint = new.settings ->> 's3_endpoint';
  new.path_style_endpoint = coalesce((new.settings ->> 'path_style_endpoint')::boolean, false);
  new.sftp_host = new.settings ->> 'sftp_host';
  new.sftp_port = (new.settings ->> 'sftp_port')::integer;
  new.sftp_username = new.settings ->> 'sftp_username';
  new.sftp_password_encrypted = new.secrets ->> 'sftp_password';
  new.sftp_private_key_encrypted = new.secrets ->> 'sftp_private_key';
  new.sftp_host_key = new.settings ->> 'sftp_host_key';
  new.sftp_path = new.settings ->> 'sftp_path';
  return new;
end $$;

create trigger older_columns before insert or update on backup_destinations
  for each row execute function backup_destinations_older_columns();
