/**
 * Lists what a PostgreSQL database contains besides rows: the names of objects of each type, their owners and
 * their grants.
 */

/**
 * Smallest object id (OID) that is not reserved for the server's own objects:
 * https://www.postgresql.org/docs/current/system-catalog-initial-data.html
 */
const FIRST_OWN_ID = 16384;

/**
 * System catalogs, each with an SQL condition on its rows. The conditions call a row `o`. They leave out
 * objects that a dump does not contain, and objects that the server creates itself.
 */
const CATALOGS: readonly [catalog: string, condition: string][] = [
  ["pg_class", "o.relkind in ('p', 'v', 'm', 'f', 'S', 'i', 'I') and o.relpersistence <> 't'"],
  ["pg_constraint", "o.contype <> 'n' and coalesce((to_jsonb(o) ->> 'conparentid')::oid, 0) = 0"],
  ["pg_attrdef", "true"],
  ["pg_proc", "true"],
  [
    "pg_type",
    "o.typtype in ('b', 'c', 'd', 'e', 'r') and not exists (select from pg_type a where a.typarray = o.oid) and " +
    "(o.typrelid = 0 or exists (select from pg_class c where c.oid = o.typrelid and c.relkind = 'c'))",
  ],
  ["pg_trigger", "not o.tgisinternal and coalesce((to_jsonb(o) ->> 'tgparentid')::oid, 0) = 0"],
  ["pg_rewrite", "o.rulename <> '_RETURN'"],
  ["pg_policy", "true"],
  ["pg_event_trigger", "true"],
  ["pg_namespace", "o.nspname !~ '^pg_(toast|temp)'"],
  ["pg_extension", "true"],
  ["pg_language", "true"],
  ["pg_operator", "true"],
  ["pg_opclass", "true"],
  ["pg_opfamily", "true"],
  ["pg_collation", "true"],
  ["pg_conversion", "true"],
  ["pg_cast", "true"],
  ["pg_am", "true"],
  ["pg_ts_config", "true"],
  ["pg_ts_dict", "true"],
  ["pg_ts_parser", "true"],
  ["pg_ts_template", "true"],
  ["pg_transform", "true"],
  ["pg_foreign_data_wrapper", "true"],
  ["pg_foreign_server", "true"],
  ["pg_default_acl", "true"],
  ["pg_statistic_ext", "true"],
  ["pg_publication", "true"],
  ["pg_publication_rel", "true"],
  ["pg_publication_namespace", "true"],
];

/**
 * System catalogs of objects with owners, each with its columns for the owner and for grants. The column for
 * grants is null if objects of the catalog have no grants.
 */
const OWNED: readonly [catalog: string, owner: string, grants: string | null][] = [
  ["pg_class", "relowner", "relacl"],
  ["pg_proc", "proowner", "proacl"],
  ["pg_type", "typowner", "typacl"],
  ["pg_namespace", "nspowner", "nspacl"],
  ["pg_language", "lanowner", "lanacl"],
  ["pg_foreign_data_wrapper", "fdwowner", "fdwacl"],
  ["pg_foreign_server", "srvowner", "srvacl"],
  ["pg_event_trigger", "evtowner", null],
  ["pg_operator", "oprowner", null],
  ["pg_opclass", "opcowner", null],
  ["pg_opfamily", "opfowner", null],
  ["pg_collation", "collowner", null],
  ["pg_conversion", "conowner", null],
  ["pg_ts_config", "cfgowner", null],
  ["pg_ts_dict", "dictowner", null],
  ["pg_statistic_ext", "stxowner", null],
  ["pg_publication", "pubowner", null],
];

/**
 * Descriptions of contents that drills do not compare, because {@link objectStatements} does not list them.
 */
export const NOT_LISTED = [
  "the text of definitions",
  "positions of sequences",
  "rows of materialized views and foreign tables",
  "subscriptions",
];

/** Types of objects that a load creates differently, depending on the login that loads the dump. */
export const KINDS_OF_OWNERS = ["owner", "grant", "default acl", "large object access"];

/**
 * Returns statements that each print lines such as `{"kind": …, "names": […]}`, one for each type of object.
 * A statement that fails does not affect the others.
 */
export function objectStatements(): string[] {
  return [
    ...CATALOGS.map((each) => ifCatalogExists(each[0], objectsOf(each))),
    ...OWNED.map((each) => ifCatalogExists(each[0], ownersOf(each))),
    ...OWNED.flatMap((each) => grantsOf(each).map((statement) => ifCatalogExists(each[0], statement))),
    COLUMN_GRANTS,
    COMMENTS,
    USER_MAPPINGS,
    ROW_SECURITY,
    LARGE_OBJECT_ACCESS,
  ].map((statement) => statement.replaceAll(/\s+/g, " "));
}

/** Returns a psql command that runs a statement if the catalog exists. Old servers lack some catalogs. */
function ifCatalogExists(catalog: string, statement: string): string {
  return `select $statement$${statement}$statement$ where to_regclass('pg_catalog.${catalog}') is not null \\gexec`;
}

/**
 * SQL expressions, by catalog. For an object `o` of the catalog, the expression returns the id of the table
 * to which `o` belongs. If that table belongs to an extension, `o` counts as part of the extension too.
 */
const TABLE_OF: Readonly<Record<string, string>> = {
  pg_class: "(select x.indrelid from pg_index x where x.indexrelid = o.oid)",
  pg_constraint: "o.conrelid",
  pg_attrdef: "o.adrelid",
  pg_trigger: "o.tgrelid",
  pg_rewrite: "o.ev_class",
  pg_policy: "o.polrelid",
};

/** Returns a condition for objects that belong neither to the server nor to an extension. */
function isOwn(catalog: string): string {
  const table = TABLE_OF[catalog];
  const ofTable = table === undefined ? "" : ` or (d.classid = 'pg_class'::regclass and d.objid = ${table})`;
  return `o.oid >= ${FIRST_OWN_ID} and not exists (
    select from pg_depend d
    where d.deptype = 'e' and ((d.classid = '${catalog}'::regclass and d.objid = o.oid)${ofTable})
  ) and coalesce(i.schema, '') !~ '^pg_(toast|temp)'`;
}

function identified(catalog: string): string {
  return `${catalog} o, pg_identify_object('${catalog}'::regclass, o.oid, 0) i`;
}

function grouped(select: string): string {
  return `select json_build_object('kind', kind, 'names', json_agg(name order by name)) from (${select}) q group by kind;`;
}

function objectsOf([catalog, condition]: typeof CATALOGS[number]): string {
  const state = catalog === "pg_trigger"
    ? " || case o.tgenabled when 'O' then '' else ' (enabled: ' || o.tgenabled::text || ')' end"
    : "";
  return grouped(
    `select i.type as kind, i.identity${state} as name from ${identified(catalog)}
     where ${condition} and ${isOwn(catalog)}`,
  );
}

/**
 * Conditions, by catalog, for relations and types that have an owner of their own. The other relations and
 * types have the owner of their table or element type, and are left out. A catalog without a condition here
 * has only objects with an owner of their own.
 */
const NOT_OWNED = {
  pg_class: "o.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and o.relpersistence <> 't'",
  pg_type: CATALOGS.find(([catalog]) => catalog === "pg_type")![1],
} as Record<string, string>;

function ownersOf([catalog, owner]: typeof OWNED[number]): string {
  return grouped(
    `select 'owner'::text as kind, i.type || ' ' || i.identity || ': ' || pg_get_userbyid(o.${owner}) as name
     from ${identified(catalog)} where ${NOT_OWNED[catalog] ?? "true"} and ${isOwn(catalog)}`,
  );
}

function grantsOf([catalog, owner, grants]: typeof OWNED[number]): string[] {
  if (grants === null) return [];
  return [grouped(
    `select 'grant'::text as kind, ${describeGrant("i.type || ' ' || i.identity")} as name
     from ${identified(catalog)}, aclexplode(o.${grants}) a
     where a.grantee <> o.${owner} and ${NOT_OWNED[catalog] ?? "true"} and ${isOwn(catalog)}`,
  )];
}

function describeGrant(on: string): string {
  return `case a.grantee when 0 then 'PUBLIC' else pg_get_userbyid(a.grantee) end || ' may ' || a.privilege_type ||
    case when a.is_grantable then ' and grant it' else '' end || ' on ' || ${on}`;
}

const COLUMN_GRANTS = grouped(
  `select 'grant'::text as kind, ${
    describeGrant("i.type || ' ' || i.identity || ', column ' || c.attname")
  } as name
   from ${identified("pg_class")}, pg_attribute c, aclexplode(c.attacl) a
   where c.attrelid = o.oid and c.attnum > 0 and ${isOwn("pg_class")}`,
);

const COMMENTS = grouped(
  `select 'comment'::text as kind, 'on ' || i.type || ' ' || i.identity as name
   from pg_description o, pg_identify_object(o.classoid, o.objoid, o.objsubid) i
   where o.objoid >= ${FIRST_OWN_ID} and coalesce(i.schema, '') !~ '^pg_(toast|temp)' and not exists (
     select from pg_depend d where d.classid = o.classoid and d.objid = o.objoid and d.deptype = 'e'
   ) and o.classoid <> 'pg_largeobject'::regclass`,
);

/** Reads the view `pg_user_mappings`, because only superusers may read the catalog `pg_user_mapping`. */
const USER_MAPPINGS = grouped(
  `select 'user mapping'::text as kind, case m.umuser when 0 then 'PUBLIC' else m.usename end || ' on server ' || m.srvname as name
   from pg_user_mappings m where m.umid >= ${FIRST_OWN_ID}`,
);

const ROW_SECURITY = grouped(
  `select 'row security'::text as kind, 'of ' || i.identity || case when o.relforcerowsecurity then ' (forced)' else '' end as name
   from ${identified("pg_class")} where o.relrowsecurity and ${isOwn("pg_class")}`,
);

/** Counts large objects by owner and grants. There can be millions, so they are not listed one by one. */
const LARGE_OBJECT_ACCESS = grouped(
  `select 'large object access'::text as kind, count(*) || ' owned by ' || pg_get_userbyid(lomowner) ||
     coalesce(', granted ' || (select string_agg(a::text, ', ' order by a::text) from unnest(lomacl) a), '') as name
   from pg_largeobject_metadata group by lomowner, lomacl`,
);
