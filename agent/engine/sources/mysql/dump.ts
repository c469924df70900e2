/** Builds the command that dumps one MySQL or MariaDB database as a single text. */
import type { Command } from "../../programs/children.ts";
import { MAX_PACKET, type MysqlConnection } from "./connection.ts";
import { type DumpProgram, isAtLeast, oracleArguments, type ServerVersion } from "./programs.ts";
import type { MysqlDatabase } from "./server.ts";

export interface DumpPlan {
  database: MysqlDatabase;
  /** Tables of which only the definitions are dumped, not the rows. */
  emptied: readonly string[];
}

export function dumpCommand(
  { database, emptied }: DumpPlan,
  server: ServerVersion,
  program: DumpProgram,
  connection: MysqlConnection,
): Command {
  const { name, unreadable } = database;
  const always = [
    "--single-transaction",
    "--quick",
    "--triggers",
    "--hex-blob",
    // Restoring inside LOCK TABLES fails if a column's default reads from a sequence, because the sequence is
    // not locked.
    "--skip-add-locks",
    MAX_PACKET,
    "--no-tablespaces",
    "--default-character-set=utf8mb4",
    // An operator's option file must not disable comments: the dump's closing line is a comment.
    "--comments",
    "--dump-date",
    ...oracleArguments(server, program),
  ];
  const whole = [
    ...always,
    "--routines",
    "--events",
    ...dumpsHistory(database, program) ? ["--dump-history"] : [],
    ...unreadable.map((table) => `--ignore-table=${name}.${table.name}`),
  ];
  const command = (args: string[], tables: readonly string[] = []) =>
    connection.command(program.tool, args, [name, ...tables]);
  if (emptied.length === 0) return command(whole);
  if (hasIgnoreTableData(program)) {
    return command([...whole, ...emptied.map((table) => `--ignore-table-data=${name}.${table}`)]);
  }
  // Some tables are dumped without rows. Their definitions come first, because views in the rest of the dump
  // might need these tables.
  return inSequence(
    command([...always, "--no-data"], emptied),
    command([...whole, ...emptied.map((table) => `--ignore-table=${name}.${table}`)]),
  );
}

/**
 * Whether the dump contains the history of system-versioned tables. Only MariaDB's program dumps history,
 * from version 10.11 on. The program fails if a table keeps its history by transaction.
 */
export function dumpsHistory({ versioned, byTransaction }: MysqlDatabase, { version }: DumpProgram): boolean {
  return versioned.length > 0 && byTransaction.length === 0 && /mariadb/i.test(version) &&
    isAtLeast(version, 10, 11);
}

/** Whether the program has the option `--ignore-table-data`. Oracle's mysqldump does not have it. */
function hasIgnoreTableData({ version }: DumpProgram): boolean {
  return /mariadb/i.test(version) && isAtLeast(version, 10, 5, 3);
}

function inSequence(first: Command, second: Command): Command {
  const line = ({ program, args }: Command) => [program, ...args].map(shellQuoted).join(" ");
  return { ...second, program: "sh", args: ["-c", `${line(first)} && exec ${line(second)}`] };
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
