/**
 * Backs up PostgreSQL databases with pg_dump, each as one object. The normal format is custom without
 * compression (`-Fc -Z0`), because zstd compresses better than pg_dump. A task can choose SQL text instead.
 * If a task backs up all databases (`*`), roles and tablespaces become an additional object, because they
 * belong to no database.
 */
import { findHiddenMappings } from "./hidden.ts";
import type { DatabaseSource } from "../../../../src/definitions/sources/database_server.ts";
import { databaseInfix, GLOBALS_INFIX } from "../../manifest/object_name.ts";
import { type Output, RunFailedError } from "../../ports.ts";
import { formatBytes } from "../../../../src/domain/byte_size.ts";
import type { RunContext } from "../../run_context.ts";
import { requireTools } from "../../programs/tools.ts";
import { checkClosing, DumpMessages } from "../database/dump_messages.ts";
import { connectionArgument, type PostgresqlClient, PostgresqlConnection } from "./connection.ts";
import { countInSnapshot, type KnownContents } from "./counts.ts";
import { dropAbandoned } from "./leftovers.ts";
import {
  chooseDatabases,
  type Database,
  describeServer,
  findMaintenanceDatabase,
  type Server,
} from "./databases.ts";
import { type Installation, installationFor, installations, programPath } from "./programs.ts";
import { readProperties } from "./properties.ts";
import {
  excludeArgument,
  type ExcludedTable,
  findExcludedTables,
  findUncheckedForeignKeys,
} from "./tables.ts";
import type { PartEnd, PreparedSource, SourcePart } from "../source.ts";

/** Last lines of a dump. From version 15.14 on, psql's `\unrestrict` follows them. */
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
  const server = await describeCleanServer({ connection, psql }, source.names, output);
  const installation = installationFor(server.major, server.version, found);
  const { databases, missing, leftOut } = chooseDatabases(server, source.names);
  for (const line of leftOut) output.line(line);
  const tools = await requireTools(context.children, ["pzstd", "zstd"]);
  const plan: Plan = { source, server, client: { connection, psql }, installation, context };
  const parts: SourcePart[] = [];
  if (source.names.includes("*")) parts.push(globalsPart(plan));
  const stored: Database[] = [];
  for (const database of databases) {
    output.line(
      `PostgreSQL ${server.version}: database ${database.name}, ${formatBytes(database.size ?? 0)}`,
    );
    try {
      parts.push(await databasePart(database.name, plan));
      stored.push(database);
    } catch (error) {
      if (databases.length === 1 || !(error instanceof RunFailedError)) throw error;
      context.ports.signal.throwIfAborted();
      missing.push({ name: database.name, reason: error.message });
    }
  }
  return {
    engine: "pg_dump",
    tools: { pg_dump: installation.version, ...tools },
    description: {
      type: "postgresql",
      server_version: server.version,
      format: source.format,
      excluded_tables: source.excluded_tables,
      databases: stored.map(describeDatabase),
    },
    parts,
    missing,
  };
}

/**
 * Drops databases that killed restores and drills left. Then describes the server. Restores drop such
 * databases as well. A backup also drops them, because the next restore might be a long time away.
 */
async function describeCleanServer(
  client: PostgresqlClient,
  names: string[],
  output: Output,
): Promise<Server> {
  const { connection, psql } = client;
  const maintenanceDatabase = await findMaintenanceDatabase(connection, psql, names);
  await dropAbandoned(client, maintenanceDatabase, output);
  return await describeServer(connection, psql, maintenanceDatabase);
}

interface Plan {
  readonly source: DatabaseSource;
  readonly server: Server;
  readonly client: PostgresqlClient;
  readonly installation: Installation;
  readonly context: RunContext;
}

/**
 * Returns the properties that go into the manifest. Everyone with access to the backup can read the manifest.
 * So the manifest does not contain the database's settings and comments. They are stored with the database's
 * contents, which might be encrypted.
 */
function describeDatabase({ name, encoding, collation, ctype, owner, locale_provider, locale }: Database) {
  return { name, encoding, collation, ctype, owner, locale_provider, locale };
}

/** Finds the tables whose rows the task excludes, and reports them in the output. */
async function findExcluded(
  database: string,
  { source, client: { connection, psql }, context: { ports: { output } } }: Plan,
): Promise<Pick<KnownContents, "excluded" | "unchecked_foreign_keys">> {
  if (source.excluded_tables.length === 0) return { excluded: [], unchecked_foreign_keys: [] };
  const found = await findExcludedTables(connection, psql, database, source.excluded_tables);
  const views = found.filter(({ kind }) => kind === "v");
  const excluded = found.filter(({ kind }) => kind !== "v");
  const namesOf = (tables: readonly ExcludedTable[]) =>
    tables.map(({ schema, name }) => `${schema}.${name}`).join(", ");
  if (excluded.length > 0) output.line(`Rows left out of ${database}: ${namesOf(excluded)}`);
  if (views.length > 0) output.line(`Views have no rows to leave out of ${database}: ${namesOf(views)}`);
  const absent = source.excluded_tables.filter((entry) => !found.some((table) => table.entry === entry));
  if (absent.length > 0) output.line(`Not in ${database}, though excluded: ${absent.join(", ")}`);
  const keys = await findUncheckedForeignKeys(connection, psql, database, excluded);
  for (const { table, name } of keys) {
    output.line(
      `Foreign key ${name} of ${table} refers to rows that are left out. Where rows break it, a restore makes it NOT VALID`,
    );
  }
  return { excluded, unchecked_foreign_keys: keys };
}

async function databasePart(database: string, plan: Plan): Promise<SourcePart> {
  const { source, client, installation, context } = plan;
  const { connection, psql } = client;
  const properties = await readProperties(connection, psql, database, database);
  if (properties === undefined) throw new RunFailedError(`database ${database} was dropped meanwhile`);
  const known: KnownContents = { properties, ...await findExcluded(database, plan) };
  const hidden = await findHiddenMappings(client, database);
  if (hidden.length > 0) {
    context.ports.output.warning(
      `The login may not see the options of user mappings in ${database}, passwords among them, so they are not in ` +
        `this backup: ${hidden.join(", ")}. To store them, back up as a superuser.`,
    );
  }
  const messages = new DumpMessages("pg_dump", context.ports.output);
  const label = `database ${database}`;
  const custom = source.format === "custom";
  const without = known.excluded.map(excludeArgument);
  const how = custom ? ["--format=custom", "--compress=0"] : ["--format=plain"];
  return {
    label,
    database,
    infix: databaseInfix(database),
    extension: custom ? ".dump" : ".sql",
    command: connection.command(programPath(installation, "pg_dump"), [...how, ...without], database),
    streamDescriptor: 1,
    index: null,
    count: () => countInSnapshot(client, database, known, context),
    isGone: async () => !source.names.includes(database) && await isGone(database, plan),
    restore: custom
      ? "pg_restore --clean --if-exists --dbname=DATABASE"
      : "psql --no-psqlrc --set=ON_ERROR_STOP=1 --dbname=DATABASE",
    message: (line) => messages.read(line),
    checkExit: (exit) => messages.check(exit, label),
    ...custom
      // The custom format ends without a marker. pg_dump's exit code and a complete transfer show that the
      // dump is whole.
      ? { checkHead: (head: Uint8Array) => checkCustom(label, head), checkEnd: () => {} }
      : { checkEnd: ({ tail }: PartEnd) => checkClosing(label, tail, CLOSING) },
  };
}

/**
 * Called when the dump of a database has failed. Returns true if the database no longer exists. Returns false
 * if it exists, or if the server does not answer. If the result is false, the run reports that the backup
 * lacks the database.
 */
async function isGone(database: string, { client: { connection, psql }, server }: Plan): Promise<boolean> {
  try {
    const maintenanceDatabase = await findMaintenanceDatabase(
      connection,
      psql,
      server.databases.map(({ name }) => name),
    );
    const now = await describeServer(connection, psql, maintenanceDatabase);
    return !now.databases.some(({ name }) => name === database);
  } catch (error) {
    if (error instanceof RunFailedError) return false;
    throw error;
  }
}

/**
 * Returns the part with roles and tablespaces. Only superusers are allowed to read the roles' passwords. For
 * other logins, the roles are stored without passwords.
 */
function globalsPart({ server, client: { connection }, installation, context }: Plan): SourcePart {
  const messages = new DumpMessages("pg_dumpall", context.ports.output);
  const label = "roles and tablespaces";
  if (!server.is_superuser) {
    context.ports.output.warning(
      "Roles are stored without their passwords, which only a superuser may read: give each role its password " +
        "after a restore, or back up as a superuser.",
    );
  }
  const args = [
    "--globals-only",
    connectionArgument("--database", server.maintenanceDatabase),
    ...(server.is_superuser ? [] : ["--no-role-passwords"]),
  ];
  return {
    label,
    database: null,
    isGeneral: true,
    infix: GLOBALS_INFIX,
    extension: ".sql",
    command: connection.command(programPath(installation, "pg_dumpall"), args, server.maintenanceDatabase),
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
