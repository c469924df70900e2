/**
 * Connects MySQL's and MariaDB's programs to a server. The password is passed in an option file, never in
 * their arguments.
 */
import type { DatabaseSource } from "../../../../src/definitions/sources/database_server.ts";
import { type Answer, capture } from "../../programs/capture.ts";
import type { Command, Redirect } from "../../programs/children.ts";
import { oneLine } from "../../programs/line.ts";
import { RunFailedError } from "../../ports.ts";
import type { ProgramContext } from "../../run_context.ts";
import { hint } from "../database/load_hints.ts";

/** Sets the maximum length of a statement, in either direction, to 1 GiB. */
export const MAX_PACKET = "--max-allowed-packet=1073741824";
/**
 * First statement of each session, whatever the server's defaults are. It commits loaded data, reads SQL in
 * the standard mode and sets no time limit. The conditional comments name the versions of MariaDB and MySQL
 * that support the variables. Callers may append assignments.
 */
export const SESSION =
  "set session autocommit = 1, session sql_mode = '' /*M!100101 , session max_statement_time = 0 */ " +
  "/*!50708 , session max_execution_time = 0 */";
const CONNECT_TIMEOUT_SECONDS = 30;
/** Descriptor of the option file, which is opened before the programs become another user. */
const OPTIONS_DESCRIPTOR = 3;

/** Address of a server, and the login. */
type Login = Pick<DatabaseSource, "host" | "port" | "username" | "password">;

/** How each program connects. */
interface ProgramOptions {
  /** Options that a program accepts only before all others. */
  readonly first: readonly string[];
  readonly rest: readonly string[];
  readonly redirects: Redirect[];
}

export class MysqlConnection {
  private constructor(
    /** Such as `the local socket as root`. */
    readonly description: string,
    readonly username: string,
    private readonly context: ProgramContext,
    private readonly options: ProgramOptions,
  ) {}

  static async open(source: Login, context: ProgramContext): Promise<MysqlConnection> {
    const { port, password } = source;
    const host = source.host?.startsWith("/") ? await mysqlSocket(source.host) : source.host;
    const onSocket = host === null || host.startsWith("/");
    const username = source.username ?? (onSocket ? context.job.run_as : null) ?? "root";
    const address = onSocket ? `the socket${host === null ? "" : ` ${host}`}` : host;
    const at = port === null || onSocket ? address : `${address}, port ${port}`;
    const redirects: Redirect[] = [];
    const first: string[] = [];
    if (password !== null) {
      // Programs accept this option only in first position.
      first.push(`--defaults-extra-file=/proc/self/fd/${OPTIONS_DESCRIPTOR}`);
      const path = await writeOptionFile(password, context);
      redirects.push({ descriptor: OPTIONS_DESCRIPTOR, direction: "<", path });
    }
    const rest = [`--user=${username}`, ...hostArguments(host, port)];
    return new MysqlConnection(`${at} as ${username}`, username, context, { first, rest, redirects });
  }

  /** @param operands Arguments after the options; may start with a dash. */
  command(program: string, args: string[], operands: string[] = []): Command {
    return {
      program,
      args: [...this.options.first, ...this.options.rest, ...args, "--", ...operands],
      user: this.context.user,
      redirects: this.options.redirects,
    };
  }

  /**
   * Returns the rows of a SELECT. Every column must be a number or `hex(…)` of text, because other values may
   * break a line.
   */
  async query(client: string, sql: string): Promise<string[][]> {
    const answer = await this.execute(client, sql);
    return answer.split("\n").filter((line) => line !== "").map((line) => line.split("\t"));
  }

  /** Returns the first column of a statement's rows, for statements such as SHOW that cannot use `hex(…)`. */
  async lines(client: string, sql: string): Promise<string[]> {
    const rows = await this.query(client, sql);
    const escapes: Record<string, string> = { n: "\n", t: "\t", "0": "\0" };
    return rows.map(([column]) => column!.replace(/\\(.)/g, (_, letter) => escapes[letter] ?? letter));
  }

  /**
   * Executes statements in order, up to the first that fails. They may be long: they are passed on stdin, not
   * as an argument.
   */
  async execute(client: string, sql: string): Promise<string> {
    const answer = await this.#run(client, sql, []);
    if (answer.exit.code === 0) return answer.stdout;
    // MariaDB's client prints the statement before the error.
    const error = answer.messages.findIndex((line) => line.startsWith("ERROR "));
    const message = oneLine(answer.messages.slice(Math.max(error, 0)).join("\n")) ||
      `${client} exited with ${answer.exit.code}`;
    throw new RunFailedError(`Cannot use MySQL at ${this.description}: ${message}${hint(message)}`);
  }

  /** Executes all statements in order, even if some fail. Returns the first few errors. */
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

/** Decodes the text of a `hex(…)` column. */
export function fromHex(column: string): string {
  return column === "NULL" ? "" : new TextDecoder().decode(Uint8Array.fromHex(column));
}

/** File names of sockets in the distributions. */
const SOCKET_NAMES = ["mysqld.sock", "mysql.sock", "mariadb.sock"];

/**
 * Returns a socket by its own path or by that of its directory. Returns any other path unchanged, so that the
 * program reports it.
 */
export async function mysqlSocket(path: string): Promise<string> {
  const directory = path.replace(/\/+$/, "");
  for (const name of SOCKET_NAMES) {
    const socket = `${directory}/${name}`;
    // The agent may not be allowed to enter the directory, but the program runs as another user.
    const found = await Deno.stat(socket).catch(() => null);
    if (found?.isSocket) return socket;
  }
  return path;
}

/** Returns options for a host. These programs use the socket for `localhost` without a port. */
function hostArguments(host: string | null, port: number | null): string[] {
  if (host === null) return port === null ? [] : [`--port=${port}`];
  if (host.startsWith("/")) return [`--socket=${host}`];
  const protocol = host === "localhost" && port === null ? [] : ["--protocol=tcp"];
  return [`--host=${host}`, ...protocol, ...(port === null ? [] : [`--port=${port}`])];
}

/**
 * Writes an option file. Quoted values use backslash escapes:
 * https://mariadb.com/kb/en/configuring-mariadb-with-option-files/
 */
async function writeOptionFile(password: string, { ports, user }: ProgramContext): Promise<string> {
  if (password.includes("\0")) {
    throw new RunFailedError("Cannot use the task's database_password: it holds a NUL character");
  }
  const quoted = password.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  const path = `${ports.workDirectory}/mysql.cnf`;
  await Deno.writeTextFile(path, `[client]\npassword="${quoted}"\n`, { mode: 0o600 });
  // The programs open the file again by its descriptor, as the user they run as.
  if (user !== null) await Deno.chown(path, user.uid, user.gid);
  return path;
}
