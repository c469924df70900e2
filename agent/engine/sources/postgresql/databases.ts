/** Reads the list of databases of a PostgreSQL server, and selects those that a task backs up. */
import type { Missing } from "../../../../src/protocol/job.ts";
import { RunFailedError } from "../../ports.ts";
import type { ProgramContext } from "../../run_context.ts";
import { isOwnName, MARK, MOVED_ASIDE, UNFINISHED } from "../database/scratch_names.ts";
import type { DatabaseList, DatabaseLogin } from "../source_type.ts";
import { PostgresqlConnection } from "./connection.ts";
import { installations, programPath } from "./programs.ts";

export interface Server {
  version: string;
  major: number;
  is_superuser: boolean;
  /** Database to connect to for statements about the whole server. */
  maintenanceDatabase: string;
  databases: Database[];
}

export interface Database {
  name: string;
  /**
   * Whether a `DROP DATABASE` was interrupted. The database then accepts no connections and cannot be read.
   */
  is_invalid: boolean;
  allows_connections: boolean;
  /** Size in bytes; null if the role is not allowed to connect or the database is invalid. */
  size: number | null;
  comment: string | null;
  encoding: string;
  collation: string;
  ctype: string;
  owner: string;
  /**
   * `libc`, `icu` or `builtin`. For `icu` and `builtin`, `locale` is the name that the provider gives the
   * collation.
   */
  locale_provider: string;
  locale: string | null;
}

/**
 * Columns of the catalog pg_database that describe a database. Old servers lack some of these columns. The
 * columns are read through JSON, because JSON gives null for a missing column. `icu` came with PostgreSQL 15,
 * `builtin` with 17.
 */
export const DATABASE_PROPERTIES =
  `pg_encoding_to_char(encoding) as encoding, datcollate as collation, datctype as ctype,
            pg_get_userbyid(datdba) as owner,
            case to_jsonb(d) ->> 'datlocprovider' when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end
              as locale_provider,
            coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as locale`;

/**
 * Databases of the server itself. The name `*` does not select them. `template0` accepts no connections, and
 * restores replace neither `template0` nor `template1`.
 */
const TEMPLATES = /^template[01]$/;
/** Databases of managed services. Only the service may connect to them. */
const SERVICE_DATABASES = new Set([
  "rdsadmin",
  "cloudsqladmin",
  "alloydbadmin",
  "alloydbmetadata",
  "azure_maintenance",
  "azure_sys",
]);

/**
 * Reads the server's version and its databases.
 *
 * @param maintenanceDatabase Any database that the login is allowed to connect to.
 */
export async function describeServer(
  connection: PostgresqlConnection,
  psql: string,
  maintenanceDatabase: string,
): Promise<Server> {
  const [server] = await connection.query<Omit<Server, "databases" | "maintenanceDatabase">>(
    psql,
    maintenanceDatabase,
    `select current_setting('server_version') as version,
            current_setting('server_version_num')::int / 10000 as major,
            current_setting('is_superuser') = 'on' as is_superuser`,
  );
  const databases = await connection.query<Database>(
    psql,
    maintenanceDatabase,
    `select datname as name, datconnlimit = -2 as is_invalid, datallowconn as allows_connections,
            case when has_database_privilege(oid, 'connect') and datconnlimit <> -2 then pg_database_size(oid) end as size,
            shobj_description(oid, 'pg_database') as comment,
            ${DATABASE_PROPERTIES}
     from pg_catalog.pg_database d order by datname`,
  );
  return { ...server!, maintenanceDatabase, databases };
}

/**
 * Databases that a new user of a hosting service can usually connect to. A service might lack some of them.
 */
const USUAL_MAINTENANCE_DATABASES = ["postgres", "template1", "defaultdb"];

/**
 * Returns the name of the first database that accepts the login. Tries `names` first, except the name `*`,
 * which stands for all databases. Then tries {@link USUAL_MAINTENANCE_DATABASES}, then `last`. If no database
 * accepts the login, throws the first error.
 */
export async function findMaintenanceDatabase(
  connection: PostgresqlConnection,
  psql: string,
  names: readonly string[],
  last: readonly string[] = [],
): Promise<string> {
  const usual = USUAL_MAINTENANCE_DATABASES.filter((name) => !last.includes(name));
  const candidates = new Set([...names.filter((name) => name !== "*"), ...usual, ...last]);
  let refusal: unknown = null;
  for (const maintenanceDatabase of candidates) {
    try {
      await connection.execute(psql, maintenanceDatabase, "select 1");
      return maintenanceDatabase;
    } catch (error) {
      if (!(error instanceof RunFailedError) || /startup parameter/.test(error.message)) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

/** Lists the databases that `*` selects. If a database cannot be dumped, its `problem` says why. */
export async function listPostgresql(login: DatabaseLogin, context: ProgramContext): Promise<DatabaseList> {
  const connection = await PostgresqlConnection.open(login, context);
  const [installation] = await installations(context.children);
  const psql = programPath(installation!, "psql");
  const server = await describeServer(connection, psql, await findMaintenanceDatabase(connection, psql, []));
  const isSelected = (each: Database) => !TEMPLATES.test(each.name) && reasonToSkip(each) === null;
  return {
    server: `PostgreSQL ${server.version} at ${connection.description}`,
    databases: server.databases.filter(isSelected).map((each) => ({
      name: each.name,
      size: each.size,
      problem: reasonNotDumpable(each),
    })),
  };
}

export interface DatabaseSelection {
  readonly databases: Database[];
  readonly missing: Missing[];
  /**
   * Lines for the run's output: which databases `*` leaves out, and why. Leaving out these databases loses no
   * user's data.
   */
  readonly leftOut: string[];
}

/**
 * Divides a server's databases into three groups:
 * - databases that the task backs up;
 * - databases that the task selects but that cannot be backed up;
 * - databases that the task leaves out.
 *
 * @param names The task's database names; the name `*` stands for all databases.
 */
export function chooseDatabases(
  { databases }: Pick<Server, "databases">,
  names: readonly string[],
): DatabaseSelection {
  const chosen: DatabaseSelection = { databases: [], missing: [], leftOut: [] };
  const isAll = names.includes("*");
  for (const database of databases) {
    const isNamed = names.includes(database.name);
    if (!isNamed && (!isAll || TEMPLATES.test(database.name))) continue;
    const own = isNamed ? null : reasonToSkip(database);
    const closed = own === null ? reasonNotDumpable(database) : null;
    if (own !== null) chosen.leftOut.push(own);
    else if (closed !== null) chosen.missing.push({ name: database.name, reason: closed });
    else chosen.databases.push(database);
  }
  chosen.missing.push(...vanished(databases, names));
  if (chosen.databases.length > 0) return chosen;
  const reasons = chosen.missing.map(({ reason }) => reason).join("; ");
  throw new RunFailedError(reasons || "Cannot back up PostgreSQL: the server has no database");
}

function vanished(databases: readonly Database[], names: readonly string[]): Missing[] {
  const known = new Set(databases.map(({ name }) => name));
  const has = databases.filter(({ name }) => !TEMPLATES.test(name)).map(({ name }) => name).join(", ");
  return [...new Set(names)].filter((name) => name !== "*" && !known.has(name)).map((name) => ({
    name,
    reason: `Cannot back up database ${name}: there is none of that name. The server has: ${has}.`,
  }));
}

/**
 * Returns why `*` does not include a database, as a line for the output; null if `*` includes the database.
 */
function reasonToSkip({ name, comment, is_invalid }: Database): string | null {
  const isMarked = isOwnName(name) && comment?.startsWith(MARK) && !comment.startsWith(MOVED_ASIDE);
  if (isMarked || comment === UNFINISHED) {
    return `${name} is left out: a restore or a drill made it, and drops it`;
  }
  if (is_invalid) {
    return `${name} is left out: it is what an interrupted DROP DATABASE left. Drop it, as nothing in it can be read.`;
  }
  return SERVICE_DATABASES.has(name) ? `${name} is left out: it belongs to the hosting service` : null;
}

/** Returns why a selected database cannot be dumped; null if it can be dumped. */
function reasonNotDumpable({ name, is_invalid, allows_connections, size }: Database): string | null {
  const cannot = `Cannot back up database ${name}`;
  if (is_invalid) return `${cannot}: it is what an interrupted DROP DATABASE left. Drop it.`;
  if (!allows_connections) {
    return `${cannot}: it takes no connections. Allow them, with: alter database ${name} allow_connections true.`;
  }
  return size === null ? `${cannot}: the user may not connect to it` : null;
}
