-- The settings and secrets of a task's source, by the names of src/definitions/sources; what is not set, or has its
-- default, is absent. Each secret is sealed by itself, with the id of its key. The program checks types and values, and
-- which fields a type requires.
alter table backup_tasks
  add source_settings jsonb not null default '{}' check (jsonb_typeof(source_settings) = 'object'),
  add source_secrets jsonb not null default '{}' check (jsonb_typeof(source_secrets) = 'object');

update backup_tasks set
  source_settings = jsonb_strip_nulls(jsonb_build_object(
    'source_path', source_path,
    'excluded_paths', nullif(excluded_paths, '{}'),
    'allow_unreadable', nullif(allow_unreadable, false),
    'database_name', database_name,
    'database_host', database_host,
    'database_port', database_port,
    'database_username', database_username,
    'database_format', nullif(database_format, 'custom'),
    'excluded_database_tables', excluded_database_tables
  )),
  source_secrets = jsonb_strip_nulls(jsonb_build_object('database_password', database_password_encrypted));

alter table backup_tasks
  drop constraint backup_tasks_check,
  drop constraint backup_tasks_check1,
  drop constraint backup_tasks_database_port_check,
  drop constraint backup_tasks_database_format_check;

-- Control planes of the version before still read and write the column of each field during an update. This trigger keeps
-- both forms equal: a statement that changes only these columns is theirs. A version that no control plane older than
-- this migration has to work beside drops the trigger, its function and these columns.
create function backup_tasks_older_source_columns() returns trigger language plpgsql as $$
declare
  is_older boolean = case tg_op
    when 'INSERT' then new.source_settings = '{}' and new.source_secrets = '{}'
    else new.source_settings = old.source_settings and new.source_secrets = old.source_secrets and (
      new.source_path, new.excluded_paths, new.allow_unreadable, new.database_name, new.database_host,
      new.database_port, new.database_username, new.database_password_encrypted, new.database_format,
      new.excluded_database_tables
    ) is distinct from (
      old.source_path, old.excluded_paths, old.allow_unreadable, old.database_name, old.database_host,
      old.database_port, old.database_username, old.database_password_encrypted, old.database_format,
      old.excluded_database_tables
    )
  end;
begin
  if is_older then
    new.source_settings = (
      new.source_settings - array[
        'source_path', 'excluded_paths', 'allow_unreadable', 'database_name', 'database_host', 'database_port',
        'database_username', 'database_format', 'excluded_database_tables'
      ]
    ) || jsonb_strip_nulls(jsonb_build_object(
      'source_path', new.source_path,
      'excluded_paths', nullif(new.excluded_paths, '{}'),
      'allow_unreadable', nullif(new.allow_unreadable, false),
      'database_name', new.database_name,
      'database_host', new.database_host,
      'database_port', new.database_port,
      'database_username', new.database_username,
      'database_format', nullif(new.database_format, 'custom'),
      'excluded_database_tables', new.excluded_database_tables
    ));
    new.source_secrets = (new.source_secrets - 'database_password')
      || jsonb_strip_nulls(jsonb_build_object('database_password', new.database_password_encrypted));
  end if;
  new.source_path = new.source_settings ->> 'source_path';
  new.excluded_paths = array(select jsonb_array_elements_text(new.source_settings -> 'excluded_paths'));
  new.allow_unreadable = coalesce((new.source_settings ->> 'allow_unreadable')::boolean, false);
  new.database_name = new.source_settings ->> 'database_name';
  new.database_host = new.source_settings ->> 'database_host';
  new.database_port = (new.source_settings ->> 'database_port')::integer;
  new.database_username = new.source_settings ->> 'database_username';
  new.database_password_encrypted = new.source_secrets ->> 'database_password';
  new.database_format = coalesce(new.source_settings ->> 'database_format', 'custom');
  new.excluded_database_tables = new.source_settings ->> 'excluded_database_tables';
  return new;
end $$;

create trigger older_source_columns before insert or update on backup_tasks
  for each row execute function backup_tasks_older_source_columns();
