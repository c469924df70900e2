/**
 * Backs up MySQL and MariaDB databases with mysqldump or mariadb-dump. Each database becomes one object of
 * SQL text, from one consistent snapshot. The text does not name the database, so it can be restored into any
 * database.
 *
 * If the task names `*`, accounts and their grants become an additional object. They are backed up only from
 * MariaDB servers, and only if the user is allowed to read the accounts. The schema `mysql` itself is dumped
 * only if the task names it.
 */
import type { DatabaseSource } from "../../../../src/definitions/sources/database_server.ts";
import type { Missing } from "../../../../src/protocol/job.ts";
import { databaseInfix, GLOBALS_INFIX } from "../../manifest/object_name.ts";
import { type Output, RunFailedError } from "../../ports.ts";
import { formatBytes } from "../../../../src/domain/byte_size.ts";
import type { RunContext } from "../../run_context.ts";
import { firstTool, missingTools, requireTools } from "../../programs/tools.ts";
import { dropAbandoned } from "./leftovers.ts";
import { findSchema } from "./sql.ts";
import { checkClosing, DumpMessages } from "../database/dump_messages.ts";
import { MAX_PACKET, MysqlConnection } from "./connection.ts";
import { matchCase } from "./case.ts";
import { countRowsWhileStored } from "./counts.ts";
import { dumpCommand, type DumpPlan, dumpsHistory } from "./dump.ts";
import { findEmptied } from "./excluded.ts";
import { listObjects } from "./objects.ts";
import { type DumpProgram, dumpProgram, isAtLeast, PACKAGES } from "./programs.ts";
import { MysqlRights } from "./rights.ts";
import { describeServer, isSelectable, type MysqlDatabase, type MysqlServer, productName } from "./server.ts";
import type { PreparedSource, SourcePart } from "../source.ts";

interface PartContext {
  connection: MysqlConnection;
  client: string;
  /** Whether the task names the database. False if only `*` selects it. */
  isNamed: boolean;
  run: RunContext;
}

export const CLOSING = /\n-- Dump completed[^\n]*\n$/;

export async function prepareMysql(source: DatabaseSource, context: RunContext): Promise<PreparedSource> {
  const { output } = context.ports;
  const connection = await MysqlConnection.open(source, context);
  output.line(`Connecting to MySQL at ${connection.description}`);
  const client = await firstTool(context.children, ["mariadb", "mysql"]);
  if (client === null) throw new RunFailedError(missingTools(["mysqldump", "mysql"], PACKAGES));
  const dropped = await dropAbandoned(connection, client.tool);
  if (dropped.length > 0) {
    output.line(`Dropped leftovers of restores or drills whose agent was killed: ${dropped.join(", ")}`);
  }
  const server = await describeServer(connection, client.tool);
  const program = await dumpProgram(server, context.children);
  const chosen = server.ignoresCase
    ? matchCase(source.names, server.databases.map(({ name }) => name))
    : source.names;
  const { databases, vanished } = chooseDatabases(server, chosen);
  reportLeftovers(server, chosen, output);
  for (const database of databases) reportDatabase(database, server, program, output);
  const rights = await MysqlRights.read(connection, client.tool, server);
  if (rights !== null) reportHidden(rights, databases, chosen, output);
  const names = databases.map(({ name }) => name);
  const emptied = await findEmptied(
    { connection, client: client.tool, server, output },
    names,
    source.excluded_tables,
  );
  const tools = await requireTools(context.children, ["pzstd", "zstd"]);
  const globals = chosen.includes("*")
    ? await accountsPart({ server, program, connection, client: client.tool, rights, run: context })
    : null;
  const parts = databases.map((database) => {
    const plan = { database, emptied: emptied.get(database.name)! };
    const isNamed = chosen.includes(database.name);
    return databasePart(plan, server, program, { connection, client: client.tool, isNamed, run: context });
  });
  return {
    engine: "mysqldump",
    tools: { [program.tool]: program.version, ...tools },
    description: {
      type: "mysql",
      server_version: server.version,
      excluded_tables: source.excluded_tables,
      databases: databases.map(({ name, characterSet, collation, comment }) => ({
        name,
        character_set: characterSet,
        collation,
        ...comment === "" ? {} : { comment },
      })),
    },
    parts: globals === null ? parts : [globals, ...parts],
    missing: [
      ...vanished,
      ...databases.flatMap(({ name, unreadable }) =>
        unreadable.map((table) => ({
          name: `${name}.${table.name}`,
          reason: `The server cannot open it: ${table.reason}`,
        }))
      ),
    ],
  };
}

/**
 * Returns the databases that the task selects, and the names that the server does not have. Throws if no
 * database is selected.
 */
function chooseDatabases(
  server: MysqlServer,
  names: string[],
): { databases: MysqlDatabase[]; vanished: Missing[] } {
  const all = names.includes("*");
  const chosen = server.databases.filter((each) => names.includes(each.name) || (all && isSelectable(each)));
  const known = new Set(server.databases.map(({ name }) => name));
  const usual = server.databases.filter(isSelectable).map(({ name }) => name).join(", ") || "none";
  const vanished = [...new Set(names)].filter((name) => name !== "*" && !known.has(name)).map((name) => ({
    name,
    reason: `Cannot back up database ${name}: there is none of that name that the user may see. ` +
      `The server has: ${usual}.`,
  }));
  if (chosen.length > 0) return { databases: chosen, vanished };
  throw new RunFailedError(
    vanished.map(({ reason }) => reason).join(" ") || "Cannot back up MySQL: the user may see no database",
  );
}

/**
 * Reports what `*` does not select:
 * - directories that are not databases;
 * - databases that a restore or a drill created. After a killed restore, such a database might contain the
 *   only copy of the data that the restore was replacing.
 */
function reportLeftovers({ databases }: MysqlServer, names: string[], output: Output): void {
  const directories = databases.filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  if (names.includes("*") && directories.length > 0) {
    output.line(`Left out, as directories that are not databases: ${directories.join(", ")}`);
  }
  const left = databases.filter(({ name, isOwn }) => isOwn && !names.includes(name)).map(({ name }) => name);
  if (!names.includes("*") || left.length === 0) return;
  output.line(
    `Left out, as Rearguard made them for a restore or a drill: ${left.join(", ")}. ` +
      "If none is running, the next one removes them",
  );
}

function reportDatabase(
  database: MysqlDatabase,
  server: MysqlServer,
  program: DumpProgram,
  output: Output,
): void {
  const { name, size, nonTransactional, versioned, byTransaction } = database;
  output.line(`${productName(server)}: database ${name}, ${formatBytes(size)}`);
  if (nonTransactional > 0) {
    output.line(
      `Not transactional in ${name}: ${nonTransactional} tables, whose rows may change while they are read`,
    );
  }
  if (versioned.length === 0 || dumpsHistory(database, program)) return;
  output.warning(
    `The history of system-versioned tables in ${name} is not in this backup, only their rows of today: ` +
      (byTransaction.length > 0
        ? `${program.tool} cannot dump it while a table keeps it by transaction, as does ${
          byTransaction.join(", ")
        }`
        : `${program.tool} ${program.version} cannot dump it. Install the client of MariaDB 10.11 or later`),
  );
}

/**
 * Warns of objects that the login is not allowed to see. Databases that hide the same kinds of objects, such
 * as views and triggers, share one warning.
 */
function reportHidden(
  rights: MysqlRights,
  databases: readonly MysqlDatabase[],
  names: string[],
  output: Output,
): void {
  const groups = new Map<string, { of: string[]; grants: Set<string> }>();
  for (const { name } of databases) {
    const lacking = rights.missingRightsOn(name);
    if (lacking === null) continue;
    const what = lacking.hidden.join(", ");
    const group = groups.get(what) ?? { of: [], grants: new Set() };
    group.of.push(name);
    for (const grant of lacking.grants) group.grants.add(grant);
    groups.set(what, group);
  }
  for (const [what, { of, grants }] of groups) {
    output.warning(
      `The login may not see all ${what} of ${of.join(", ")}: what it may not see is not in this backup. ` +
        `Let it: ${[...grants].join("; ")}`,
    );
  }
  const { databasesGrant } = rights;
  if (!names.includes("*") || databasesGrant === null) return;
  output.warning(
    "The login may not see all databases: what it may not see is not in this backup. " +
      `Let it: ${databasesGrant}. Or name the databases that are meant instead of *.`,
  );
}

function databasePart(
  plan: DumpPlan,
  server: MysqlServer,
  program: DumpProgram,
  context: PartContext,
): SourcePart {
  const { name } = plan.database;
  const { connection, client, isNamed } = context;
  const messages = new DumpMessages(program.tool, context.run.ports.output);
  const label = `database ${name}`;
  return {
    label,
    database: name,
    infix: databaseInfix(name),
    extension: ".sql",
    command: dumpCommand(plan, server, program, connection),
    streamDescriptor: 1,
    index: null,
    count: () =>
      countRowsWhileStored(
        name,
        server.maxStatement,
        context.run,
        () => listObjects(connection, client, name, server),
      ),
    ...isNamed ? {} : { isGone: async () => await findSchema(connection, client, name) === null },
    restore: `${server.isMariadb ? "mariadb" : "mysql"} ${MAX_PACKET} DATABASE`,
    message: (line) => messages.read(line),
    checkExit: (exit) => messages.check(exit, label),
    checkEnd: ({ tail }) => checkClosing(label, tail, CLOSING),
  };
}

interface AccountsContext {
  server: MysqlServer;
  program: DumpProgram;
  connection: MysqlConnection;
  client: string;
  rights: MysqlRights | null;
  run: RunContext;
}

async function accountsPart(
  { server, program, connection, client, rights, run }: AccountsContext,
): Promise<SourcePart | null> {
  const { output } = run.ports;
  if (!server.isMariadb || !dumpsAccounts(program)) {
    output.line("Accounts are not part of this backup. To store them, name the database mysql too.");
    return null;
  }
  try {
    await connection.query(client, "select count(*) from mysql.global_priv");
  } catch (error) {
    if (!(error instanceof RunFailedError)) throw error;
    output.warning(
      `Accounts are not part of this backup: ${connection.username} may not read them. ` +
        `Let it: ${rights?.grantFor(["SELECT"], "mysql")}.`,
    );
    return null;
  }
  const messages = new DumpMessages(program.tool, output);
  const label = "accounts and grants";
  return {
    label,
    database: null,
    isGeneral: true,
    infix: GLOBALS_INFIX,
    extension: ".sql",
    // On restore, --insert-ignore leaves existing accounts unchanged.
    command: connection.command(program.tool, [
      "--system=users",
      "--insert-ignore",
      "--comments",
      "--dump-date",
    ]),
    streamDescriptor: 1,
    index: null,
    restore: "mariadb --force mysql",
    message: (line) => messages.read(line),
    checkExit: (exit) => messages.check(exit, label),
    checkEnd: ({ tail }) => checkClosing(label, tail, CLOSING),
  };
}

/**
 * Whether the program has the option `--system`. MariaDB 10.5.9 introduced this option. Maintenance releases
 * of older series have the option too, but are not recognized.
 */
function dumpsAccounts({ version }: DumpProgram): boolean {
  return /mariadb/i.test(version) && isAtLeast(version, 10, 5, 9);
}
