-- The settings and secrets of a destination, by the names of src/definitions/destinations; what is not set is absent.
-- Each secret is sealed by itself, with the id of its key. The program checks types and values.
alter table backup_destinations
  add settings jsonb not null default '{}',
  add secrets jsonb not null default '{}';

update backup_destinations set
  settings = jsonb_strip_nulls(case type
    when 'local' then jsonb_build_object('local_path', local_path)
    when 'sftp' then jsonb_build_object(
      'sftp_host', sftp_host,
      'sftp_port', coalesce(sftp_port, 22),
      'sftp_username', sftp_username,
      'sftp_host_key', sftp_host_key,
      'sftp_path', sftp_path
    )
    else jsonb_build_object(
      's3_bucket_name', s3_bucket_name,
      's3_region', s3_region,
      's3_endpoint', case type when 'custom_s3' then s3_endpoint end,
      'path_style_endpoint', path_style_endpoint
    )
  end),
  secrets = jsonb_strip_nulls(case type
    when 'local' then '{}'
    when 'sftp' then jsonb_build_object(
      'sftp_password', sftp_password_encrypted,
      'sftp_private_key', sftp_private_key_encrypted
    )
    else jsonb_build_object(
      's3_access_key', s3_access_key_encrypted,
      's3_secret_key', s3_secret_key_encrypted
    )
  end);

alter table backup_destinations
  drop constraint backup_destinations_type_check,
  drop local_path,
  drop s3_access_key_encrypted,
  drop s3_secret_key_encrypted,
  drop s3_bucket_name,
  drop s3_region,
  drop s3_endpoint,
  drop path_style_endpoint,
  drop sftp_host,
  drop sftp_port,
  drop sftp_username,
  drop sftp_password_encrypted,
  drop sftp_private_key_encrypted,
  drop sftp_host_key,
  drop sftp_path;

-- For control planes of the version before, which go on until it is their turn to be updated: they read these, and can't
-- write them. A later version drops them.
alter table backup_destinations
  add local_path text generated always as (settings ->> 'local_path') stored,
  add s3_access_key_encrypted text generated always as (secrets ->> 's3_access_key') stored,
  add s3_secret_key_encrypted text generated always as (secrets ->> 's3_secret_key') stored,
  add s3_bucket_name text generated always as (settings ->> 's3_bucket_name') stored,
  add s3_region text generated always as (settings ->> 's3_region') stored,
  add s3_endpoint text generated always as (settings ->> 's3_endpoint') stored,
  add path_style_endpoint boolean
    generated always as (coalesce((settings ->> 'path_style_endpoint')::boolean, false)) stored,
  add sftp_host text generated always as (settings ->> 'sftp_host') stored,
  add sftp_port integer generated always as ((settings ->> 'sftp_port')::integer) stored,
  add sftp_username text generated always as (settings ->> 'sftp_username') stored,
  add sftp_password_encrypted text generated always as (secrets ->> 'sftp_password') stored,
  add sftp_private_key_encrypted text generated always as (secrets ->> 'sftp_private_key') stored,
  add sftp_host_key text generated always as (settings ->> 'sftp_host_key') stored,
  add sftp_path text generated always as (settings ->> 'sftp_path') stored;
