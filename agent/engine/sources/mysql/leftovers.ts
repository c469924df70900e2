/**
 * Distinguishes the databases of running restores and drills from abandoned databases. An abandoned database
 * was left when an agent was killed. While a restore or drill runs, it holds a lock on the server. A separate
 * connection holds this lock. Each database that a restore or drill creates contains a table named `MARK`,
 * see sql.ts. The table's comment contains the name of the lock.
 */
import type { Children } from "../../programs/children.ts";
import { RunFailedError } from "../../ports.ts";
import { fromHex, type MysqlConnection, SESSION } from "./connection.ts";
import { temporaryNames } from "../database/scratch_names.ts";
import { hasTable, isInUse, MARK, quote, SWAP } from "./sql.ts";

/** Matches the comment of a table named `MARK`. The comment ends with the name of the lock. */
const HELD = /\bheld by (rearguard [0-9a-f-]{36})$/;
const REPLACED = temporaryNames("").replaced;

/**
 * Takes the lock that marks the databases of this run as in use. The lock is released when the run's child
 * processes are ended, or when the agent ends. Returns the text to store in the comment of each table named
 * `MARK`. Returns "" if the server does not grant the lock. Some clusters never grant it.
 */
export async function holdLock(
  connection: MysqlConnection,
  client: string,
  children: Children,
): Promise<string> {
  const name = `rearguard ${crypto.randomUUID()}`;
  const options = ["--batch", "--skip-column-names", "--unbuffered", `--init-command=${SESSION}`];
  const child = children.spawn(connection.command(client, options), {
    stdin: "piped",
    stdout: "piped",
    onMessage: () => {},
  });
  const statement = new TextEncoder().encode(
    `set session wait_timeout = 2147483;\nselect concat('got ', get_lock('${name}', 0));\n`,
  );
  const input = async function* () {
    yield statement;
    await child.exited.catch(() => {});
  };
  // Not awaited: this promise settles only when the program ends, which is at the latest at the end of the
  // run.
  child.feed(input()).catch(() => {});
  const reader = child.stdout!.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value).trim() === "got 1" ? `held by ${name}` : "";
}

/**
 * Drops the databases that were left when a restore or drill was killed. Returns the names of the dropped
 * databases. Keeps replaced databases, and databases whose swap had begun: they might hold the only copy of
 * data, and the next restore can use them.
 */
export async function dropAbandoned(connection: MysqlConnection, client: string): Promise<string[]> {
  const marked = await connection.query(
    client,
    `select hex(table_schema), hex(table_comment) from information_schema.tables where table_name = '${MARK}'`,
  );
  const dropped: string[] = [];
  for (const [schema, comment] of marked) {
    const name = fromHex(schema!);
    const [, lock] = HELD.exec(fromHex(comment!)) ?? [];
    if (lock === undefined || name.endsWith(REPLACED)) continue;
    const [[isFree]] = await connection.query(client, `select is_free_lock('${lock}')`) as [[string]];
    if (isFree !== "1" || await isInUse(connection, client, name)) continue;
    if (await hasTable(connection, client, name, SWAP)) continue;
    try {
      await connection.execute(client, `set session lock_wait_timeout = 5;\ndrop database ${quote(name)}`);
    } catch (error) {
      // A login for backups often lacks the right to drop databases. The next restore or drill tries again.
      if (error instanceof RunFailedError) continue;
      throw error;
    }
    dropped.push(name);
  }
  return dropped;
}
