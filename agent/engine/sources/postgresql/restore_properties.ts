/**
 * Plans how to restore a database's properties. Properties that the load might need are applied before the
 * load. The others are applied after the load.
 */
import type { DatabaseGrant, DatabaseProperties, DatabaseSetting } from "./properties.ts";
import { identifier, literal } from "./sql.ts";

/**
 * Settings whose value is a list of names that are already quoted. They are the same as in
 * variable_is_guc_list_quote of PostgreSQL's src/bin/pg_dump/dumputils.c.
 */
const LIST_SETTINGS = [
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "unix_socket_directories",
];

/**
 * Settings that are applied after the load, because they could block the load, end the load or change its
 * result.
 */
const POSTPONED_SETTINGS = [
  "default_transaction_deferrable",
  "default_transaction_isolation",
  "default_transaction_read_only",
  "event_triggers",
  "idle_in_transaction_session_timeout",
  "idle_session_timeout",
  "local_preload_libraries",
  "lock_timeout",
  "role",
  "session_preload_libraries",
  "session_replication_role",
  "statement_timeout",
  "transaction_timeout",
];

/** Statement that applies one property, and the property's description for a warning. */
export interface PropertyStatement {
  readonly sql: string;
  readonly what: string;
}

export interface PropertyPlan {
  /**
   * Statements to execute before the data is loaded: for grants, and for settings that functions might read
   * during the load.
   */
  readonly before: PropertyStatement[];
  readonly after: PropertyStatement[];
  /** Descriptions of properties that cannot be restored, because their role does not exist. */
  readonly lost: string[];
}

export interface PropertyChoices {
  /** Names of all roles on the server. */
  readonly roles: ReadonlySet<string>;
  /** Whether to restore settings for single roles, and grants to roles. Does not affect grants to PUBLIC. */
  readonly isOwned: boolean;
}

/**
 * Plans statements for a database's properties.
 *
 * @param to Name of the database that gets the properties.
 */
export function planProperties(
  to: string,
  properties: DatabaseProperties,
  { roles, isOwned }: PropertyChoices,
): PropertyPlan {
  const { grants, connection_limit, settings, security_labels } = properties;
  const hasRole = (role: string | null) => role === null || (isOwned && roles.has(role));
  const name = identifier(to);
  const ofAll = settings.filter(({ role }) => role === null);
  const isHeld = ({ name }: DatabaseSetting) => POSTPONED_SETTINGS.includes(name.toLowerCase());
  const ofRoles = settings.filter(({ role }) => role !== null && hasRole(role));
  return {
    before: [
      ...grants === null ? [] : grantStatements(name, grants, properties.owner, hasRole),
      ...ofAll.filter((each) => !isHeld(each)).map((each) => settingStatement(name, each)),
    ],
    after: [
      ...[...ofAll.filter(isHeld), ...ofRoles].map((each) => settingStatement(name, each)),
      ...connection_limit < 0 ? [] : [{
        sql: `alter database ${name} connection limit ${connection_limit}`,
        what: `connection limit ${connection_limit}`,
      }],
      ...security_labels.map(({ provider, label }) => ({
        sql: `security label for ${identifier(provider)} on database ${name} is ${literal(label)}`,
        what: `the security label of ${provider}`,
      })),
    ],
    lost: isOwned ? lostRoles(properties, hasRole) : [],
  };
}

/**
 * Merges the properties of an existing, empty database with those in the backup. If both have a property, the
 * existing database's value is used.
 */
export function mergeProperties(own: DatabaseProperties, backedUp: DatabaseProperties): DatabaseProperties {
  const key = ({ role, name }: DatabaseSetting) => JSON.stringify([role, name]);
  const has = new Set(own.settings.map(key));
  return {
    ...own,
    grants: own.grants ?? backedUp.grants,
    connection_limit: own.connection_limit < 0 ? backedUp.connection_limit : own.connection_limit,
    is_template: own.is_template || backedUp.is_template,
    comment: own.comment ?? backedUp.comment,
    settings: [...own.settings, ...backedUp.settings.filter((each) => !has.has(key(each)))],
    security_labels: own.security_labels.length > 0 ? own.security_labels : backedUp.security_labels,
  };
}

function grantStatements(
  name: string,
  grants: readonly DatabaseGrant[],
  owner: string,
  hasRole: (role: string | null) => boolean,
): PropertyStatement[] {
  const kept = grants.filter(({ grantee }) => grantee !== owner && hasRole(grantee));
  return [
    { sql: `revoke all on database ${name} from public`, what: "the rights that were taken from PUBLIC" },
    ...kept.map((grant) => ({
      sql: `grant ${grant.privilege} on database ${name} to ${
        grant.grantee === null ? "public" : identifier(grant.grantee)
      }${grant.is_grantable ? " with grant option" : ""}`,
      what: describe(grant),
    })),
  ];
}

function settingStatement(database: string, { role, name, value }: DatabaseSetting): PropertyStatement {
  const of = role === null
    ? `alter database ${database}`
    : `alter role ${identifier(role)} in database ${database}`;
  const variable = name.split(".").map(identifier).join(".");
  const to = LIST_SETTINGS.includes(name.toLowerCase()) ? value || "''" : literal(value);
  return {
    sql: `${of} set ${variable} to ${to}`,
    what: `setting ${name}${role === null ? "" : ` of role ${role}`}`,
  };
}

function lostRoles(
  { grants, settings, owner }: DatabaseProperties,
  hasRole: (role: string | null) => boolean,
): string[] {
  return [
    ...(grants ?? []).filter(({ grantee }) => grantee !== owner && !hasRole(grantee)).map(describe),
    ...settings.filter(({ role }) => !hasRole(role)).map(({ role, name }) =>
      `setting ${name} of role ${role}`
    ),
  ];
}

function describe({ grantee, privilege }: DatabaseGrant): string {
  return `the grant of ${privilege} to ${grantee ?? "PUBLIC"}`;
}
