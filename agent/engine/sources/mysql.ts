/**
 * MySQL and MariaDB databases by mysqldump or mariadb-dump, one object of SQL text each, from one consistent snapshot a
 * database. The text names no database, so it restores into any. With `*` the accounts and their grants, which belong to
 * no database, are an object of their own where the server is MariaDB and the user may read them; the schema `mysql`
 * itself is dumped only when it is named.
 */
import type { DatabaseSource } from "../../../src/protocol/job.ts";
import { databaseInfix, GLOBALS_INFIX } from "../object_name.ts";
import { RunFailedError } from "../ports.ts";
import { formatBytes } from "../progress.ts";
import type { RunContext } from "../run_context.ts";
import { firstTool, missingTools, requireTools } from "../tools.ts";
import { checkClosing, DumpMessages } from "./dump_messages.ts";
import { fromHex, MysqlConnection } from "./mysql_connection.ts";
import { countStored } from "./mysql_counts.ts";
import { type DumpProgram, dumpProgram, oracleArguments, type ServerVersion } from "./mysql_programs.ts";
import type { PreparedSource, SourcePart } from "./source.ts";

interface Server extends ServerVersion {
  databases: Database[];
}

interface Database {
  name: string;
  size: number;
  /** Tables whose rows a snapshot does not hold still. */
  nonTransactional: number;
  characterSet: string;
  collation: string;
}

/** Made by the server, or, as `mysql`, of no use on another version. */
export const SYSTEM_SCHEMAS = ["information_schema", "performance_schema", "sys", "mysql"];
export const CLOSING = /\n-- Dump completed[^\n]*\n$/;

export async function prepareMysql(source: DatabaseSource, context: RunContext): Promise<PreparedSource> {
  const { output } = context.ports;
  const connection = await MysqlConnection.open(source, context);
  output.line(`Connecting to MySQL at ${connection.description}`);
  const client = await firstTool(context.children, ["mariadb", "mysql"]);
  if (client === null) throw new RunFailedError(missingTools(["mysqldump", "mysql"]));
  const server = await describeServer(connection, client.tool);
  const program = await dumpProgram(server, context.children);
  const databases = chooseDatabases(server, source.names);
  for (const { name, size, nonTransactional } of databases) {
    output.line(`${productName(server)}: database ${name}, ${formatBytes(size)}`);
    if (nonTransactional > 0) {
      output.line(
        `Not transactional in ${name}: ${nonTransactional} tables, whose rows may change while they are read`,
      );
    }
  }
  const tools = await requireTools(context.children, ["pzstd", "zstd"]);
  const globals = source.names.includes("*")
    ? await accountsPart(server, program, connection, client.tool, context)
    : null;
  const parts = databases.map(({ name }) => databasePart(name, source, server, program, connection, context));
  return {
    engine: "mysqldump",
    tools: { [program.tool]: program.version, ...tools },
    description: {
      type: "mysql",
      server_version: server.version,
      excluded_tables: source.excluded_tables,
      databases: databases.map(({ name, characterSet, collation }) => ({
        name,
        character_set: characterSet,
        collation,
      })),
    },
    parts: globals === null ? parts : [globals, ...parts],
  };
}

async function describeServer(connection: MysqlConnection, client: string): Promise<Server> {
  const [[version]] = await connection.query(client, "select hex(version())") as [[string]];
  const rows = await connection.query(
    client,
    `select hex(s.schema_name), coalesce(sum(t.data_length + t.index_length), 0),
            coalesce(sum(t.table_type = 'BASE TABLE' and t.engine not in ('InnoDB', 'ROCKSDB', 'TokuDB')), 0),
            hex(s.default_character_set_name), hex(s.default_collation_name)
     from information_schema.schemata s
     left join information_schema.tables t on t.table_schema = s.schema_name
     group by s.schema_name, s.default_character_set_name, s.default_collation_name
     order by s.schema_name`,
  );
  const name = fromHex(version);
  return {
    version: name,
    isMariadb: /mariadb/i.test(name),
    databases: rows.map(([schema, size, nonTransactional, characterSet, collation]) => ({
      name: fromHex(schema!),
      size: Number(size),
      nonTransactional: Number(nonTransactional),
      characterSet: fromHex(characterSet!),
      collation: fromHex(collation!),
    })),
  };
}

function productName({ version, isMariadb }: Server): string {
  return `${isMariadb ? "MariaDB" : "MySQL"} ${/^[\d.]+/.exec(version)?.[0] ?? version}`;
}

function chooseDatabases(server: Server, names: string[]): Database[] {
  const all = names.includes("*");
  const chosen = server.databases.filter(({ name }) =>
    names.includes(name) || (all && !SYSTEM_SCHEMAS.includes(name.toLowerCase()))
  );
  const known = new Set(server.databases.map(({ name }) => name));
  const unknown = names.filter((name) => name !== "*" && !known.has(name));
  if (unknown.length > 0) {
    const usual = server.databases.map(({ name }) => name).filter((name) => !SYSTEM_SCHEMAS.includes(name));
    throw new RunFailedError(
      `Cannot back up database ${unknown.join(", ")}: there is none of that name that the user may see. ` +
        `The server has: ${usual.join(", ") || "none"}.`,
    );
  }
  if (chosen.length === 0) throw new RunFailedError("Cannot back up MySQL: the user may see no database");
  return chosen;
}

function databasePart(
  database: string,
  source: DatabaseSource,
  server: Server,
  program: DumpProgram,
  connection: MysqlConnection,
  context: RunContext,
): SourcePart {
  const messages = new DumpMessages(program.tool, context.ports.output);
  const label = `database ${database}`;
  const args = [
    "--single-transaction",
    "--quick",
    "--routines",
    "--triggers",
    "--events",
    "--hex-blob",
    "--no-tablespaces",
    "--default-character-set=utf8mb4",
    // The closing line is a comment: an operator's option file may not leave it out.
    "--comments",
    "--dump-date",
    ...oracleArguments(server, program),
    ...source.excluded_tables.map((entry) => `--ignore-table=${qualified(entry, database)}`),
  ];
  return {
    label,
    database,
    infix: databaseInfix(database),
    extension: ".sql",
    command: connection.command(program.tool, args, [database]),
    streamDescriptor: 1,
    index: null,
    count: () => countStored(database, context),
    restore: `${server.isMariadb ? "mariadb" : "mysql"} DATABASE`,
    message: (line) => messages.read(line),
    checkExit: (exit) => messages.check(exit, label),
    checkEnd: ({ tail }) => checkClosing(label, tail, CLOSING),
  };
}

/** `table` in every database of the task, or `database.table`. Both are taken literally. */
function qualified(entry: string, database: string): string {
  return entry.startsWith(`${database}.`) ? entry : `${database}.${entry}`;
}

async function accountsPart(
  server: Server,
  program: DumpProgram,
  connection: MysqlConnection,
  client: string,
  context: RunContext,
): Promise<SourcePart | null> {
  const { output } = context.ports;
  if (!server.isMariadb || !dumpsAccounts(program)) {
    output.line("Accounts are not part of this backup. To store them, name the database mysql too.");
    return null;
  }
  try {
    await connection.query(client, "select count(*) from mysql.global_priv");
  } catch (error) {
    if (!(error instanceof RunFailedError)) throw error;
    output.line(`Accounts are not part of this backup: ${connection.username} may not read them`);
    return null;
  }
  const messages = new DumpMessages(program.tool, output);
  const label = "accounts and grants";
  return {
    label,
    database: null,
    infix: GLOBALS_INFIX,
    extension: ".sql",
    // With --insert-ignore, accounts that are there already are left as they are.
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

/** `--system` came with 10.5.9; its maintenance releases of older series are not worth telling apart. */
function dumpsAccounts({ version }: DumpProgram): boolean {
  if (!/mariadb/i.test(version)) return false;
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number);
  return major > 10 || (major === 10 && (minor > 5 || (minor === 5 && patch >= 9)));
}
