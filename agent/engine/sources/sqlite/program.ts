/** Runs the program `sqlite3`, and quotes for it. */
import { capture } from "../../programs/capture.ts";
import type { Children } from "../../programs/children.ts";
import type { SystemUser } from "../../programs/system_user.ts";
import { missingTools, toolVersion } from "../../programs/tools.ts";
import { RunFailedError } from "../../ports.ts";

const PACKAGES = { sqlite3: "sqlite3" };

/** As whom programs run. */
export interface Runner {
  readonly children: Children;
  readonly user: SystemUser | null;
}

/** A failed program. */
export class SqliteError extends RunFailedError {}

/** Returns the version of `sqlite3`. Rejects if it is not installed. */
export async function requireSqlite(children: Children): Promise<string> {
  const version = await toolVersion(children, "sqlite3");
  if (version === null) throw new RunFailedError(missingTools(["sqlite3"], PACKAGES));
  return version;
}

/** How a database is opened. */
export interface Opening {
  readonly path: string;
  /**
   * - `read`: nothing is written, except for the shared memory of a database with a write-ahead log;
   * - `write`: as a program that uses the database, which removes an empty write-ahead log at the end;
   * - `copy`: a file that nobody else has open.
   */
  readonly as: "read" | "write" | "copy";
}

/**
 * Runs SQL and commands, and returns the lines of the result. Rejects with a {@link SqliteError} at the first
 * one that fails.
 *
 * @param script Statements and commands, one a line.
 */
export async function query(
  { children, user }: Runner,
  { path, as }: Opening,
  script: string,
): Promise<string[]> {
  // Without `-init`, the program would read the user's own settings and run what they say.
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

/** Runs another program as the user. Rejects with its message if it fails. */
export async function run({ children, user }: Runner, program: string, args: string[]): Promise<void> {
  const { exit, messages } = await capture(children, { program, args, user });
  if (exit.code !== 0) throw new RunFailedError(messages.join("; ") || `${program} exited with ${exit.code}`);
}

/** `Error: near line 3: database is locked (5)` is `database is locked`. */
function reasonOf(messages: readonly string[], signal: string | null): string {
  if (signal !== null) return `sqlite3 was ended by ${signal}`;
  const [first = "sqlite3 failed"] = messages;
  return first.replace(/^(?:(?:Parse |Runtime )?error:?\s*|near line \d+:\s*|in prepare, |stepping, )+/i, "")
    .replace(/ \(\d+\)$/, "");
}

/** Returns a URI in which no character of the path has a meaning. */
function fileUri(path: string): string {
  return `file:${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** Quotes an argument of a command such as `.backup`: all but plain characters are octal escapes. */
export function argument(text: string): string {
  const escaped = Array.from(new TextEncoder().encode(text), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9/._-]/.test(character) ? character : `\\${byte.toString(8).padStart(3, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

/** Quotes a name for SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Decodes the result of SQL's `hex`. */
export function fromHex(hex: string): string {
  return new TextDecoder().decode(Uint8Array.fromHex(hex));
}
