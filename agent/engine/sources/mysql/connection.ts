/**
 * How MySQL's and MariaDB's programs reach a server: the password by an option file, never by their
 * arguments.
 */
import type { DatabaseSource } from "../../../../src/protocol/job.ts";
import { type Answer, capture } from "../../programs/capture.ts";
import type { Command, Redirect } from "../../programs/children.ts";
import { oneLine } from "../../programs/line.ts";
import { RunFailedError } from "../../ports.ts";
import type { ProgramContext } from "../../run_context.ts";
import { hint } from "../database/load_hints.ts";

/** Bytes of the longest statement that a client takes from a server and a server from any client. */
export const MAX_PACKET = "--max-allowed-packet=1073741824";
/**
 * The statement that sessions begin with, whatever the server's defaults: what is loaded is committed, SQL
 * is read as it is written here, and no statement is too long. The conditions of the comments are the
 * versions of MariaDB and MySQL that know the variables. More may follow.
 */
export const SESSION =
  "set session autocommit = 1, session sql_mode = '' /*M!100101 , session max_statement_time = 0 */ " +
  "/*!50708 , session max_execution_time = 0 */";
const CONNECT_TIMEOUT_SECONDS = 30;
/** Where the programs find the option file, opened for them before they may have become another user. */
const OPTIONS_DESCRIPTOR = 3;

/** Where a server is, and who logs in. */
type Login = Pick<DatabaseSource, "host" | "port" | "username" | "password">;

export class MysqlConnection {
  private constructor(
    /** `the local socket as root`. */
    readonly description: string,
    readonly username: string,
    private readonly context: ProgramContext,
    private readonly first: string[],
    private readonly rest: string[],
    private readonly redirects: Redirect[],
  ) {}

  static async open(source: Login, context: ProgramContext): Promise<MysqlConnection> {
    const { port, password } = source;
    const host = source.host?.startsWith("/") ? await mysqlSocket(source.host) : source.host;
    const onSocket = host === null || host.startsWith("/");
    const username = source.username ?? (onSocket ? context.job.run_as : null) ?? "root";
    const place = onSocket ? `the socket${host === null ? "" : ` ${host}`}` : host;
    const at = port === null || onSocket ? place : `${place}, port ${port}`;
    const redirects: Redirect[] = [];
    const first: string[] = [];
    if (password !== null) {
      // Programs take this option in the first place only.
      first.push(`--defaults-extra-file=/proc/self/fd/${OPTIONS_DESCRIPTOR}`);
      const path = await writeOptionFile(password, context);
      redirects.push({ descriptor: OPTIONS_DESCRIPTOR, direction: "<", path });
    }
    const rest = [`--user=${username}`, ...hostArguments(host, port)];
    return new MysqlConnection(`${at} as ${username}`, username, context, first, rest, redirects);
  }

  /** @param operands What follows the options; may start with a dash. */
  command(program: string, args: string[], operands: string[] = []): Command {
    return {
      program,
      args: [...this.first, ...this.rest, ...args, "--", ...operands],
      user: this.context.user,
      redirects: this.redirects,
    };
  }

  /**
   * The rows of a SELECT. Every column must be `hex(…)` of text, or a number: nothing else is safe in a line.
   */
  async query(client: string, sql: string): Promise<string[][]> {
    const answer = await this.execute(client, sql);
    return answer.split("\n").filter((line) => line !== "").map((line) => line.split("\t"));
  }

  /** The first column of any statement's rows: of a SHOW, say, which takes no `hex(…)`. */
  async lines(client: string, sql: string): Promise<string[]> {
    const rows = await this.query(client, sql);
    const escapes: Record<string, string> = { n: "\n", t: "\t", "0": "\0" };
    return rows.map(([column]) => column!.replace(/\\(.)/g, (_, letter) => escapes[letter] ?? letter));
  }

  /** Statements one after the other, up to the first that fails. They may be long: they are no argument. */
  async execute(client: string, sql: string): Promise<string> {
    const answer = await this.#run(client, sql, []);
    if (answer.exit.code === 0) return answer.stdout;
    // MariaDB's client repeats the statement before it.
    const error = answer.messages.findIndex((line) => line.startsWith("ERROR "));
    const message = oneLine(answer.messages.slice(Math.max(error, 0)).join("\n")) ||
      `${client} exited with ${answer.exit.code}`;
    throw new RunFailedError(`Cannot use MySQL at ${this.description}: ${message}${hint(message)}`);
  }

  /**
   * Statements one after the other, whatever becomes of each. Returns the errors of those that failed, the
   * first few.
   */
  async executeEach(client: string, sql: string): Promise<string[]> {
    const { exit, messages } = await this.#run(client, sql, ["--force"]);
    const errors = messages.filter((line) => line.startsWith("ERROR ")).map(oneLine);
    return errors.length > 0 || exit.code === 0 ? errors : [oneLine(messages.join("\n"))];
  }

  async #run(client: string, sql: string, args: readonly string[]): Promise<Answer> {
    const options = [
      ...args,
      "--batch",
      "--skip-column-names",
      "--binary-mode",
      "--default-character-set=utf8mb4",
      MAX_PACKET,
      `--init-command=${SESSION}`,
      `--connect-timeout=${CONNECT_TIMEOUT_SECONDS}`,
    ];
    const input = new TextEncoder().encode(sql);
    return await capture(this.context.children, this.command(client, options), input);
  }
}

/** The text of a `hex(…)` column. */
export function fromHex(column: string): string {
  return column === "NULL" ? "" : new TextDecoder().decode(Uint8Array.fromHex(column));
}

/** Names of sockets in the directories of distributions. */
const SOCKET_NAMES = ["mysqld.sock", "mysql.sock", "mariadb.sock"];

/**
 * The socket at a path that is one, or that is the directory of one. A path that leads to neither stays as
 * it is, for the program to say so.
 */
export async function mysqlSocket(path: string): Promise<string> {
  const directory = path.replace(/\/+$/, "");
  for (const name of SOCKET_NAMES) {
    const socket = `${directory}/${name}`;
    // A directory that the agent may not enter tells nothing, and the program runs as another user.
    const found = await Deno.stat(socket).catch(() => null);
    if (found?.isSocket) return socket;
  }
  return path;
}

/** `localhost` is the socket to these programs, unless a port says otherwise. */
function hostArguments(host: string | null, port: number | null): string[] {
  if (host === null) return port === null ? [] : [`--port=${port}`];
  if (host.startsWith("/")) return [`--socket=${host}`];
  const protocol = host === "localhost" && port === null ? [] : ["--protocol=tcp"];
  return [`--host=${host}`, ...protocol, ...(port === null ? [] : [`--port=${port}`])];
}

/** https://mariadb.com/kb/en/configuring-mariadb-with-option-files/: quoted values take backslash escapes. */
async function writeOptionFile(password: string, { ports, user }: ProgramContext): Promise<string> {
  if (password.includes("\0")) {
    throw new RunFailedError("Cannot use the task's database_password: it holds a NUL character");
  }
  const quoted = password.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  const path = `${ports.workDirectory}/mysql.cnf`;
  await Deno.writeTextFile(path, `[client]\npassword="${quoted}"\n`, { mode: 0o600 });
  // The programs open it anew by its descriptor, as the user they run as.
  if (user !== null) await Deno.chown(path, user.uid, user.gid);
  return path;
}
