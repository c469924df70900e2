-- The actions of guards by name, of src/domain/guards/registry.ts; a guard that is absent has its default.
alter table backup_tasks add guards jsonb not null default '{}' check (jsonb_typeof(guards) = 'object');

update backup_tasks set guards = jsonb_build_object('shrink', on_shrink, 'incompressible', on_incompressible)
  where on_shrink <> 'warn' or on_incompressible <> 'warn';

alter table backup_tasks drop on_shrink, drop on_incompressible;

-- For control planes of the version before, which go on until it is their turn to be updated: they read these, and can't
-- write them. A later version drops them.
alter table backup_tasks
  add on_shrink text not null generated always as (coalesce(guards ->> 'shrink', 'warn')) stored,
  add on_incompressible text not null generated always as (coalesce(guards ->> 'incompressible', 'warn')) stored;

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
