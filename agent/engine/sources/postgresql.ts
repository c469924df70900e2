/**
 * PostgreSQL databases by pg_dump, one object each: `-Fc -Z0` (zstd compresses better than pg_dump does) or SQL text that
 * drops what it makes anew. With `*` the roles and tablespaces, which belong to no database, are an object of their own.
 */
import type { DatabaseSource } from "../../../src/protocol/job.ts";
import { databaseInfix, GLOBALS_INFIX } from "../object_name.ts";
import { RunFailedError } from "../ports.ts";
import { formatBytes } from "../progress.ts";
import type { RunContext } from "../run_context.ts";
import { requireTools } from "../tools.ts";
import { checkClosing, DumpMessages } from "./dump_messages.ts";
import { PostgresqlConnection } from "./postgresql_connection.ts";
import { countInSnapshot, type TableAt } from "./postgresql_counts.ts";
import { type Installation, installationFor, installations, programPath } from "./postgresql_programs.ts";
import { excludeArgument, findExcludedTables } from "./postgresql_tables.ts";
import type { PartEnd, PreparedSource, SourcePart } from "./source.ts";

interface Server {
  version: string;
  major: number;
  is_superuser: boolean;
  databases: Database[];
}

interface Database {
  name: string;
  /** Neither a template nor closed to connections. */
  is_usual: boolean;
  /** Null where the role may not connect. */
  size: number | null;
  encoding: string;
  collation: string;
  ctype: string;
  owner: string;
  /** `libc`, `icu` or `builtin`; with other than the first, `locale` is the provider's name of the collation. */
  locale_provider: string;
  locale: string | null;
}

/** Columns that later versions have are looked for by name: `icu` came with 15, `builtin` with 17. */
export const DATABASE_PROPERTIES =
  `pg_encoding_to_char(encoding) as encoding, datcollate as collation, datctype as ctype,
            pg_get_userbyid(datdba) as owner,
            case to_jsonb(d) ->> 'datlocprovider' when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end
              as locale_provider,
            coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as locale`;

/** From 15.14 on, psql's `\unrestrict` follows. */
export const CLOSING =
  /\n-- PostgreSQL database (?:cluster )?dump complete\n--\n\n(?:\\unrestrict \w+\n\n?)?$/;

export async function preparePostgresql(
  source: DatabaseSource,
  context: RunContext,
): Promise<PreparedSource> {
  const { output } = context.ports;
  const connection = await PostgresqlConnection.open(source, context);
  output.line(`Connecting to PostgreSQL at ${connection.description}`);
  const found = await installations(context.children);
  const psql = programPath(found[0]!, "psql");
  const server = await askServer(connection, psql, source.names);
  const installation = installationFor(server.major, server.version, found);
  const databases = chooseDatabases(server, source.names);
  for (const { name, size } of databases) {
    output.line(`PostgreSQL ${server.version}: database ${name}, ${formatBytes(size ?? 0)}`);
  }
  const tools = await requireTools(context.children, ["pzstd", "zstd"]);
  const parts: SourcePart[] = [];
  if (source.names.includes("*")) parts.push(globalsPart(server, connection, installation, context));
  for (const { name } of databases) {
    const excluded = await excludedTables(source, connection, psql, name, context);
    const part = databasePart(name, source.format, excluded, connection, installation, context);
    parts.push({ ...part, count: () => countInSnapshot(connection, psql, name, excluded, context) });
  }
  return {
    engine: "pg_dump",
    tools: { pg_dump: installation.version, ...tools },
    description: {
      type: "postgresql",
      server_version: server.version,
      format: source.format,
      excluded_tables: source.excluded_tables,
      databases: databases.map(({ is_usual: _, size: __, ...description }) => description),
    },
    parts,
  };
}

/** Any database will do to ask; the role may be let into its own only. The first refusal is the one to tell. */
async function askServer(connection: PostgresqlConnection, psql: string, names: string[]): Promise<Server> {
  const doors = [...new Set([...names.filter((name) => name !== "*"), "postgres", "template1"])];
  let refusal: unknown = null;
  for (const door of doors) {
    try {
      return await describeServer(connection, psql, door);
    } catch (error) {
      if (!(error instanceof RunFailedError)) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

async function describeServer(connection: PostgresqlConnection, psql: string, door: string): Promise<Server> {
  const [server] = await connection.query<Omit<Server, "databases">>(
    psql,
    door,
    `select current_setting('server_version') as version,
            current_setting('server_version_num')::int / 10000 as major,
            current_setting('is_superuser') = 'on' as is_superuser`,
  );
  const databases = await connection.query<Database>(
    psql,
    door,
    `select datname as name, datallowconn and not datistemplate as is_usual,
            case when has_database_privilege(oid, 'connect') then pg_database_size(oid) end as size,
            ${DATABASE_PROPERTIES}
     from pg_catalog.pg_database d order by datname`,
  );
  return { ...server!, databases };
}

function chooseDatabases(server: Server, names: string[]): Database[] {
  const chosen = server.databases.filter(({ name, is_usual }) =>
    names.includes(name) || (is_usual && names.includes("*"))
  );
  const known = new Set(server.databases.map(({ name }) => name));
  const unknown = names.filter((name) => name !== "*" && !known.has(name));
  if (unknown.length > 0) {
    const usual = server.databases.filter(({ is_usual }) => is_usual).map(({ name }) => name).join(", ");
    throw new RunFailedError(
      `Cannot back up database ${unknown.join(", ")}: there is none of that name. The server has: ${usual}.`,
    );
  }
  const closed = chosen.find(({ size }) => size === null);
  if (closed !== undefined) {
    throw new RunFailedError(`Cannot back up database ${closed.name}: the user may not connect to it`);
  }
  if (chosen.length === 0) throw new RunFailedError("Cannot back up PostgreSQL: the server has no database");
  return chosen;
}

async function excludedTables(
  source: DatabaseSource,
  connection: PostgresqlConnection,
  psql: string,
  database: string,
  { ports }: RunContext,
): Promise<TableAt[]> {
  if (source.excluded_tables.length === 0) return [];
  const tables = await findExcludedTables(connection, psql, database, source.excluded_tables);
  const names = tables.map(({ schema, name }) => `${schema}.${name}`);
  if (names.length > 0) ports.output.line(`Left out of ${database}: ${names.join(", ")}`);
  const absent = source.excluded_tables.filter((entry) => !tables.some((table) => table.entry === entry));
  if (absent.length > 0) ports.output.line(`Not in ${database}, though excluded: ${absent.join(", ")}`);
  return tables;
}

function databasePart(
  database: string,
  format: DatabaseSource["format"],
  excluded: readonly TableAt[],
  connection: PostgresqlConnection,
  installation: Installation,
  context: RunContext,
): SourcePart {
  const messages = new DumpMessages("pg_dump", context.ports.output);
  const label = `database ${database}`;
  const custom = format === "custom";
  const without = excluded.map(excludeArgument);
  const how = custom ? ["--format=custom", "--compress=0"] : ["--format=plain", "--clean", "--if-exists"];
  return {
    label,
    database,
    infix: databaseInfix(database),
    extension: custom ? ".dump" : ".sql",
    command: connection.command(programPath(installation, "pg_dump"), [...how, ...without], database),
    streamDescriptor: 1,
    index: null,
    restore: custom
      ? "pg_restore --clean --if-exists --dbname=DATABASE"
      : "psql --no-psqlrc --set=ON_ERROR_STOP=1 --dbname=DATABASE",
    message: (line) => messages.read(line),
    checkExit: (exit) => messages.check(exit, label),
    ...custom
      // The format has no closing marker: what vouches for it is pg_dump's exit and every byte having come through.
      ? { checkHead: (head: Uint8Array) => checkCustom(label, head), checkEnd: () => {} }
      : { checkEnd: ({ tail }: PartEnd) => checkClosing(label, tail, CLOSING) },
  };
}

/** Passwords of roles are for superusers to read; without them the roles themselves are still worth keeping. */
function globalsPart(
  server: Server,
  connection: PostgresqlConnection,
  installation: Installation,
  context: RunContext,
): SourcePart {
  const messages = new DumpMessages("pg_dumpall", context.ports.output);
  const label = "roles and tablespaces";
  if (!server.is_superuser) {
    context.ports.output.line("Roles are stored without passwords: the user is no superuser");
  }
  const args = ["--globals-only", ...(server.is_superuser ? [] : ["--no-role-passwords"])];
  return {
    label,
    database: null,
    infix: GLOBALS_INFIX,
    extension: ".sql",
    command: connection.command(programPath(installation, "pg_dumpall"), args, "postgres"),
    streamDescriptor: 1,
    index: null,
    restore: "psql --no-psqlrc --dbname=postgres",
    message: (line) => messages.read(line),
    checkExit: (exit) => messages.check(exit, label),
    checkEnd: ({ tail }) => checkClosing(label, tail, CLOSING),
  };
}

export function checkCustom(label: string, head: Uint8Array): void {
  if (new TextDecoder("latin1").decode(head.subarray(0, 5)) !== "PGDMP") {
    throw new RunFailedError(
      `Cannot trust the dump of ${label}: it does not start as pg_dump's custom format does`,
    );
  }
}
