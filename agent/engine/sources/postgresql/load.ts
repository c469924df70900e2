/** Loads a dump into a temporary PostgreSQL database. */
import { type Privileged, privilegedStatement } from "./privileged.ts";
import { Refreshes, refreshWarning } from "./refresh.ts";
import type { Command } from "../../programs/children.ts";
import { byteString } from "../../archive/bytes.ts";
import { type Output, RunFailedError } from "../../ports.ts";
import { connectionArgument } from "./connection.ts";
import { installationToRestore, programPath } from "./programs.ts";
import { identifier } from "./sql.ts";
import type { UncheckedForeignKey } from "../database/row_counts.ts";
import type { DatabaseToRestore, Loader } from "../database/database_host.ts";
import type { LoadError } from "../database/load_messages.ts";
import { boundStatement } from "./bound.ts";
import type { PostgresqlFresh } from "./fresh.ts";
import { editPlain } from "./plain.ts";

export interface LoadChoices {
  /** Whether to restore owners and grants. */
  readonly isOwned: boolean;
  readonly continuesOnErrors: boolean;
  /** Extensions to leave out. Only another database of the server is allowed to have them. */
  readonly leftOut: readonly string[];
  /** Objects to leave out, because only superusers are allowed to create them. Null or absent for none. */
  readonly privileged?: Privileged | null;
}

/**
 * Returns a loader: the command that loads a dump, and the work to do after the command.
 *
 * @param name Name of the database that the dump is loaded into.
 */
export async function loaderFor(
  server: PostgresqlFresh,
  name: string,
  { archive, contents }: DatabaseToRestore,
  choices: LoadChoices,
): Promise<Loader> {
  const keys = contents?.unchecked_foreign_keys ?? [];
  const isBound = boundStatement(choices.leftOut);
  const isPrivileged = choices.privileged ? privilegedStatement(choices.privileged) : () => false;
  const refreshes = new Refreshes();
  const finish = async () => {
    await addForeignKeys(server, name, keys);
    await refreshes.execute(server, name);
  };
  if (!/\.dump\.zst(\.age)?$/.test(archive.name)) {
    const isUnwanted = (line: string) => isBound(line) || isPrivileged(line) || refreshes.take(line);
    const loader = await plainLoader(server, name, keys, isUnwanted, choices);
    await server.connection.settle();
    return { ...loader, finish };
  }
  const mayRefresh = contents?.objects?.["materialized view"] !== undefined;
  const isUnwanted = ({ message, statement }: LoadError) =>
    isBound(`${message} ${statement ?? ""}`) || (statement !== null && isPrivileged(statement));
  await server.connection.settle();
  return { ...customLoader(server, name, keys, { isUnwanted, mayRefresh }, choices), finish };
}

/** Errors of pg_restore that do not make the load fail. */
interface Tolerated {
  isUnwanted(error: LoadError): boolean;
  /** Whether the dump contains materialized views. If one cannot be filled, the load does not fail. */
  readonly mayRefresh: boolean;
}

function customLoader(
  server: PostgresqlFresh,
  name: string,
  keys: readonly UncheckedForeignKey[],
  { isUnwanted, mayRefresh }: Tolerated,
  { isOwned, continuesOnErrors, leftOut, privileged = null }: LoadChoices,
): Loader {
  const installation = installationOf(server);
  const isNewer = installation.major > server.major;
  const continues = continuesOnErrors || isNewer || mayRefresh || keys.length > 0 || leftOut.length > 0 ||
    privileged !== null;
  const args = [
    ...continues ? [] : ["--exit-on-error"],
    ...isOwned ? [] : ["--no-owner", "--no-acl"],
    // Without --dbname, pg_restore prints a script and loads nothing.
    connectionArgument("--dbname", name),
  ];
  return {
    command: server.connection.command(programPath(installation, "pg_restore"), args, name),
    rewrite: null,
    rules: {
      continuesOnErrors,
      isExpected: (error) =>
        isUnknownSetting(error) || keys.some((key) => isOfKey(error, key)) ||
        isUnwanted(error),
      warningFor: refreshWarning,
    },
  };
}

async function plainLoader(
  server: PostgresqlFresh,
  name: string,
  keys: readonly UncheckedForeignKey[],
  isUnwanted: (line: string) => boolean,
  { isOwned, continuesOnErrors }: LoadChoices,
): Promise<Loader> {
  const rows = await server.query<{ name: string }>("select name from pg_catalog.pg_settings");
  const settings = new Set(rows.map(({ name }) => name));
  const foreignKeys = keys.map(({ table, name, definition }) => ({
    table: byteString(table),
    name: byteString(name),
    definition,
  }));
  return {
    command: psqlCommand(server, name, continuesOnErrors),
    rewrite: (chunks) => editPlain(chunks, { settings, isOwned, foreignKeys, isUnwanted, continuesOnErrors }),
    rules: { continuesOnErrors },
  };
}

function psqlCommand(server: PostgresqlFresh, name: string, continuesOnErrors: boolean): Command {
  const stop = continuesOnErrors
    ? ["--set=ON_ERROR_STOP=0", "--set=VERBOSITY=verbose"]
    : ["--set=ON_ERROR_STOP=1"];
  const args = ["--no-psqlrc", "--quiet", ...stop, "--file=-"];
  return server.connection.command(programPath(installationOf(server), "psql"), args, name);
}

function installationOf({ major, dumpedMajor, found }: PostgresqlFresh) {
  return installationToRestore(Math.max(major, dumpedMajor), found);
}

/**
 * Whether the error says that the server does not know a setting. At the start of the load, a newer
 * pg_restore sets settings that older servers do not know. Only errors of these statements count. A function
 * in the backup might also set an unknown setting; its error does not count.
 */
function isUnknownSetting({ message, statement }: LoadError): boolean {
  const name = /"(\w+)"/.exec(message)?.[1];
  return name !== undefined && statement !== null && statement.startsWith(`SET ${name} = `);
}

function isOfKey({ message, statement }: LoadError, { table, name }: UncheckedForeignKey): boolean {
  const isOnTable = statement === null || statement.includes(` ${table}`) || statement.includes(name);
  return isOnTable && message.includes(`"${name}"`);
}

/**
 * Adds foreign keys to the restored tables. These keys might refer to rows that are not in the backup. If
 * existing rows violate a key, adds the key as NOT VALID. The key then applies only to new rows.
 */
async function addForeignKeys(
  server: PostgresqlFresh,
  database: string,
  keys: readonly UncheckedForeignKey[],
): Promise<void> {
  for (const key of keys) {
    const add = `alter table only ${key.table} add constraint ${identifier(key.name)} ${key.definition}`;
    const statements = [add, `${add} not valid`];
    const failure = await firstSuccessful(server, database, [...statements, add.replace("only ", "")]);
    reportForeignKey(server.output, key, failure);
  }
}

/**
 * Tries statements until one succeeds. Each statement adds the same foreign key in another way. Returns the
 * index of the successful statement. If a statement fails because the foreign key already exists, returns 0.
 * If all fail for other reasons, returns the last error.
 */
async function firstSuccessful(
  server: PostgresqlFresh,
  database: string,
  statements: readonly string[],
): Promise<number | RunFailedError> {
  let last = new RunFailedError("nothing was tried");
  for (const [index, statement] of statements.entries()) {
    try {
      await server.connection.execute(server.psql, database, statement);
      return index;
    } catch (error) {
      if (!(error instanceof RunFailedError)) throw error;
      // The load has already created the key, so all rows satisfy it.
      if (/already exists/.test(error.message)) return 0;
      last = error;
    }
  }
  return last;
}

function reportForeignKey(
  output: Output,
  { table, name }: UncheckedForeignKey,
  end: number | RunFailedError,
): void {
  if (end === 1) {
    output.line(
      `Foreign key ${name} of ${table} is NOT VALID: it refers to rows that are not in the backup. ` +
        `Once they are there: alter table ${table} validate constraint ${identifier(name)}.`,
    );
  } else if (typeof end !== "number") {
    output.warning(`Foreign key ${name} of ${table} is not restored: ${end.message}`);
  }
}
