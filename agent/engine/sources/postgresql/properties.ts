/**
 * Reads properties of a PostgreSQL database that are not restored when its dump is loaded: settings, grants,
 * connection limit, comment and others.
 */
import * as z from "zod";
import type { PostgresqlConnection } from "./connection.ts";
import { literal } from "./sql.ts";

export const DatabaseGrant = z.object({
  /** Role that has the privilege; null for PUBLIC. */
  grantee: z.string().nullable(),
  privilege: z.string(),
  is_grantable: z.boolean(),
});
export type DatabaseGrant = z.infer<typeof DatabaseGrant>;

export const DatabaseSetting = z.object({
  /** Role for which the setting applies in the database; null for all roles. */
  role: z.string().nullable(),
  name: z.string(),
  /**
   * Value as in the catalog `pg_db_role_setting`. If the value is a list of names, the names are already
   * quoted.
   */
  value: z.string(),
});
export type DatabaseSetting = z.infer<typeof DatabaseSetting>;

export const DatabaseProperties = z.object({
  owner: z.string(),
  /**
   * Grants on the database; null if they were never changed. By default, PostgreSQL lets all users connect.
   */
  grants: z.array(DatabaseGrant).nullable(),
  /** Maximum number of connections; -1 for no limit. */
  connection_limit: z.number().int(),
  is_template: z.boolean(),
  tablespace: z.string(),
  comment: z.string().nullable(),
  settings: z.array(DatabaseSetting),
  security_labels: z.array(z.object({ provider: z.string(), label: z.string() })),
});
export type DatabaseProperties = z.infer<typeof DatabaseProperties>;

/**
 * Returns the properties of `database`; undefined if this database does not exist.
 *
 * @param maintenanceDatabase Any database that the login is allowed to connect to.
 */
export async function readProperties(
  connection: PostgresqlConnection,
  psql: string,
  maintenanceDatabase: string,
  database: string,
): Promise<DatabaseProperties | undefined> {
  const [found] = await connection.query<unknown>(psql, maintenanceDatabase, propertiesSelect(database));
  return found === undefined ? undefined : DatabaseProperties.parse(found);
}

function propertiesSelect(database: string): string {
  return `
    select pg_get_userbyid(datdba) as owner,
      case when datacl is not null then (
        select coalesce(json_agg(json_build_object(
          'grantee', case grantee when 0 then null else pg_get_userbyid(grantee) end,
          'privilege', privilege_type, 'is_grantable', is_grantable
        ) order by 1), '[]') from (
          select distinct on (grantee, privilege_type) grantee, privilege_type, is_grantable
          from aclexplode(datacl) order by grantee, privilege_type, is_grantable desc
        ) acl
      ) end as grants,
      datconnlimit as connection_limit, datistemplate as is_template,
      (select spcname from pg_catalog.pg_tablespace t where t.oid = dattablespace) as tablespace,
      shobj_description(d.oid, 'pg_database') as comment,
      (
        select coalesce(json_agg(json_build_object(
          'role', case setrole when 0 then null else pg_get_userbyid(setrole) end,
          'name', split_part(entry, '=', 1), 'value', substr(entry, strpos(entry, '=') + 1)
        )), '[]')
        from pg_catalog.pg_db_role_setting, unnest(setconfig) entry where setdatabase = d.oid
      ) as settings,
      (
        select coalesce(json_agg(json_build_object('provider', provider, 'label', label)), '[]')
        from pg_catalog.pg_shseclabel
        where objoid = d.oid and classoid = 'pg_catalog.pg_database'::regclass
      ) as security_labels
    from pg_catalog.pg_database d where datname = ${literal(database)}`;
}

/** The privileges that PUBLIC has on a database whose grants were never changed. */
export const DEFAULT_GRANTS: readonly DatabaseGrant[] = ["CONNECT", "TEMPORARY"].map((privilege) => ({
  grantee: null,
  privilege,
  is_grantable: false,
}));

/**
 * Returns a line for each property, as drills compare them. The owner is left out, because the drill's login
 * owns the scratch database.
 */
export function propertyLines(properties: DatabaseProperties): string[] {
  const { connection_limit, comment, settings, security_labels } = properties;
  const lines = [
    ...(properties.grants ?? DEFAULT_GRANTS).filter(({ grantee }) => grantee !== properties.owner).map((
      grant,
    ) => `${grant.grantee ?? "PUBLIC"} may ${grant.privilege}${grant.is_grantable ? " and grant it" : ""}`),
    ...connection_limit === -1 ? [] : [`connection limit ${connection_limit}`],
    ...comment === null ? [] : [`comment ${JSON.stringify(comment)}`],
    ...settings.map(({ role, name, value }) =>
      `setting ${name} = ${value}${role === null ? "" : ` of role ${role}`}`
    ),
    ...security_labels.map(({ provider, label }) => `security label ${label} of ${provider}`),
  ];
  return lines.sort();
}
