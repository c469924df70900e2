-- The actions of guards by name, of src/domain/guards/registry.ts; a guard that is absent has its default.
alter table backup_tasks add guards jsonb not null default '{}' check (jsonb_typeof(guards) = 'object');

update backup_tasks set guards = jsonb_build_object('shrink', on_shrink, 'incompressible', on_incompressible)
  where on_shrink <> 'warn' or on_incompressible <> 'warn';

-- Control planes of the version before still read and write on_shrink and on_incompressible during an update. This trigger
-- keeps both forms equal: a statement that changes only these columns is theirs. A later version drops them.
create function backup_tasks_older_columns() returns trigger language plpgsql as $$
declare
  is_older boolean = case tg_op
    when 'INSERT' then new.guards = '{}' and (new.on_shrink <> 'warn' or new.on_incompressible <> 'warn')
    else new.guards = old.guards
      and (new.on_shrink, new.on_incompressible) is distinct from (old.on_shrink, old.on_incompressible)
  end;
begin
  if is_older then
    new.guards = new.guards || jsonb_build_object('shrink', new.on_shrink, 'incompressible', new.on_incompressible);
  end if;
  new.on_shrink = coalesce(new.guards ->> 'shrink', 'warn');
  new.on_incompressible = coalesce(new.guards ->> 'incompressible', 'warn');
  return new;
end $$;

create trigger older_columns before insert or update on backup_tasks
  for each row execute function backup_tasks_older_columns();

-- What guards found: name, message, severity.
alter table backups add findings jsonb not null default '[]' check (jsonb_typeof(findings) = 'array');

update backups set findings =
  case when suspicion !~ '^It shrank ' then jsonb_build_array(jsonb_build_object(
    'name', 'incompressible', 'message', regexp_replace(suspicion, '; It shrank .*$', ''), 'severity', 'critical'
  )) else '[]' end ||
  case when suspicion ~ '(^|; )It shrank ' then jsonb_build_array(jsonb_build_object(
    'name', 'shrink', 'message', substring(suspicion from '(?:^|; )(It shrank .*)$'), 'severity', 'critical'
  )) else '[]' end
  where suspicion is not null;
