/** Runs the program `sqlite3`, and quotes texts for its scripts. */
import { capture } from "../../programs/capture.ts";
import type { Children } from "../../programs/children.ts";
import type { SystemUser } from "../../programs/system_user.ts";
import { missingTools, toolVersion } from "../../programs/tools.ts";
import { RunFailedError } from "../../ports.ts";

const PACKAGES = { sqlite3: "sqlite3" };

/** The run's programs, and the system user that they run as; null for the agent's own user. */
export interface Runner {
  readonly children: Children;
  readonly user: SystemUser | null;
}

/** A failure of sqlite3. Its message is the reason. */
export class SqliteError extends RunFailedError {}

/** Returns the version of `sqlite3`. Rejects if the program is not installed. */
export async function requireSqlite(children: Children): Promise<string> {
  const version = await toolVersion(children, "sqlite3");
  if (version === null) throw new RunFailedError(missingTools(["sqlite3"], PACKAGES));
  return version;
}

/** The path of a database, and how it is opened. */
export interface Opening {
  readonly path: string;
  /**
   * How the database is opened:
   * - `read`: does not write to the database. Might write to the shared memory of its write-ahead log.
   * - `write`: reads and writes, like any program that uses the database. At the end, removes the write-ahead
   *   log if it is empty.
   * - `copy`: only reads. No other program has the file open.
   */
  readonly as: "read" | "write" | "copy";
}

/**
 * Runs a script of SQL statements and commands. Returns the lines that they print. Rejects with a
 * {@link SqliteError} at the first statement or command that fails.
 *
 * @param script Statements and commands, each on a line of its own.
 */
export async function query(
  { children, user }: Runner,
  { path, as }: Opening,
  script: string,
): Promise<string[]> {
  // Without `-init`, the program would execute the commands in the user's own settings file.
  const args = ["-batch", "-bail", "-init", "/dev/null", "-noheader", "-list"];
  if (as !== "write") args.push("-readonly");
  args.push(as === "copy" ? `${fileUri(path)}?immutable=1` : path);
  const input = new TextEncoder().encode(`${script}\n`);
  const { exit, stdout, messages } = await capture(children, { program: "sqlite3", args, user }, input);
  if (exit.code !== 0 || exit.signal !== null || messages.length > 0) {
    throw new SqliteError(reasonOf(messages, exit.signal));
  }
  return stdout === "" ? [] : stdout.replace(/\n$/, "").split("\n");
}

/** Runs a program other than sqlite3 as the user. If the program fails, rejects with its error output. */
export async function run({ children, user }: Runner, program: string, args: string[]): Promise<void> {
  const { exit, messages } = await capture(children, { program, args, user });
  if (exit.code !== 0) throw new RunFailedError(messages.join("; ") || `${program} exited with ${exit.code}`);
}

/**
 * Returns the reason in an error message: `database is locked` for `Error: near line 3: database is locked
 * (5)`.
 */
function reasonOf(messages: readonly string[], signal: string | null): string {
  if (signal !== null) return `sqlite3 was ended by ${signal}`;
  const [first = "sqlite3 failed"] = messages;
  return first.replace(/^(?:(?:Parse |Runtime )?error:?\s*|near line \d+:\s*|in prepare, |stepping, )+/i, "")
    .replace(/ \(\d+\)$/, "");
}

/** Returns a file URI for a path. Characters with a meaning in URIs are percent-encoded. */
function fileUri(path: string): string {
  return `file:${path.split("/").map(encodeURIComponent).join("/")}`;
}

/**
 * Quotes an argument of a command such as `.backup`. Letters, digits and a few other characters stay. All
 * remaining characters become octal escapes.
 */
export function argument(text: string): string {
  const escaped = Array.from(new TextEncoder().encode(text), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9/._-]/.test(character) ? character : `\\${byte.toString(8).padStart(3, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Decodes the result of SQL's function `hex` into text. */
export function fromHex(hex: string): string {
  return new TextDecoder().decode(Uint8Array.fromHex(hex));
}
