/**
 * Connects MySQL's and MariaDB's programs to a server. The password is passed in an option file, never as an
 * argument.
 */
import type { DatabaseSource } from "../../../../src/definitions/sources/database_server.ts";
import { type Answer, capture } from "../../programs/capture.ts";
import type { Command, Redirect } from "../../programs/children.ts";
import { oneLine } from "../../programs/line.ts";
import { RunFailedError } from "../../ports.ts";
import type { ProgramContext } from "../../run_context.ts";
import { hint } from "../database/load_hints.ts";

/** Option that raises the maximum length of a statement to 1 GiB, for sent and received statements. */
export const MAX_PACKET = "--max-allowed-packet=1073741824";
/**
 * First statement of each session. It overrides the server's defaults: it enables autocommit, selects the
 * standard SQL mode and removes time limits. The conditional comments name the versions of MariaDB and MySQL
 * that support the variables. Callers are allowed to append assignments, separated by commas.
 */
export const SESSION =
  "set session autocommit = 1, session sql_mode = '' /*M!100101 , session max_statement_time = 0 */ " +
  "/*!50708 , session max_execution_time = 0 */";
const CONNECT_TIMEOUT_SECONDS = 30;
/**
 * File descriptor on which programs receive the option file. The file is opened before a program changes to
 * another user.
 */
const OPTIONS_DESCRIPTOR = 3;

/** Address of a server, and the login's name and password. */
type Login = Pick<DatabaseSource, "host" | "port" | "username" | "password">;

/** Options and redirections with which every program connects. */
interface ProgramOptions {
  /** Options that a program accepts only in front of all other options. */
  readonly first: readonly string[];
  readonly rest: readonly string[];
  readonly redirects: Redirect[];
}

export class MysqlConnection {
  private constructor(
    /** The address and login as shown to users, such as `the socket as root`. */
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
      // Programs accept --defaults-extra-file only as the first option.
      first.push(`--defaults-extra-file=/proc/self/fd/${OPTIONS_DESCRIPTOR}`);
      const path = await writeOptionFile(password, context);
      redirects.push({ descriptor: OPTIONS_DESCRIPTOR, direction: "<", path });
    }
    const rest = [`--user=${username}`, ...hostArguments(host, port)];
    return new MysqlConnection(`${at} as ${username}`, username, context, { first, rest, redirects });
  }

  /**
   * Returns a command that runs a program with the options for the connection.
   *
   * @param operands Arguments after the options. An operand can start with a dash.
   */
  command(program: string, args: string[], operands: string[] = []): Command {
    return {
      program,
      args: [...this.options.first, ...this.options.rest, ...args, "--", ...operands],
      user: this.context.user,
      redirects: this.options.redirects,
    };
  }

  /**
   * Returns the rows of a SELECT, each as a list of columns. Every column must be a number, or `hex(…)` of a
   * text. In the output, tabs separate columns and line breaks separate rows. Any other value might contain
   * tabs or line breaks.
   */
  async query(client: string, sql: string): Promise<string[][]> {
    const answer = await this.execute(client, sql);
    return answer.split("\n").filter((line) => line !== "").map((line) => line.split("\t"));
  }

  /**
   * Returns the first column of each row of a statement. Use it for statements that cannot call `hex(…)`,
   * such as SHOW.
   */
  async lines(client: string, sql: string): Promise<string[]> {
    const rows = await this.query(client, sql);
    const escapes: Record<string, string> = { n: "\n", t: "\t", "0": "\0" };
    return rows.map(([column]) => column!.replace(/\\(.)/g, (_, letter) => escapes[letter] ?? letter));
  }

  /**
   * Executes statements in order and returns what the client prints. Rejects at the first statement that
   * fails. Statements may be long, because they are passed on stdin.
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

  /**
   * Executes all statements in order, even if some fail. Returns the error messages. If there are many,
   * returns only the first few.
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

/** Decodes a `hex(…)` column into its text; NULL becomes "". */
export function fromHex(column: string): string {
  return column === "NULL" ? "" : new TextDecoder().decode(Uint8Array.fromHex(column));
}

/** File names of the server's socket in Linux distributions. */
const SOCKET_NAMES = ["mysqld.sock", "mysql.sock", "mariadb.sock"];

/**
 * Returns the path of the socket. `path` is normally the socket or the directory that contains it. If no
 * socket is found in `path`, returns `path` unchanged. If `path` is wrong, the MySQL program will report why.
 */
export async function mysqlSocket(path: string): Promise<string> {
  const directory = path.replace(/\/+$/, "");
  for (const name of SOCKET_NAMES) {
    const socket = `${directory}/${name}`;
    // The agent might have no access to the directory. The program might have access, because it runs as
    // another user.
    const found = await Deno.stat(socket).catch(() => null);
    if (found?.isSocket) return socket;
  }
  return path;
}

/**
 * Returns the options with which the MySQL programs connect to a host. They connect by TCP, except in these
 * cases:
 * - If `host` is a path, they use the socket at this path.
 * - If `host` is `localhost` and there is no port, they use their default socket.
 * - If `host` is null, they choose the connection themselves.
 */
function hostArguments(host: string | null, port: number | null): string[] {
  if (host === null) return port === null ? [] : [`--port=${port}`];
  if (host.startsWith("/")) return [`--socket=${host}`];
  const protocol = host === "localhost" && port === null ? [] : ["--protocol=tcp"];
  return [`--host=${host}`, ...protocol, ...(port === null ? [] : [`--port=${port}`])];
}

/**
 * Writes an option file with the password and returns its path. Quoted values use backslash escapes:
 * https://mariadb.com/kb/en/configuring-mariadb-with-option-files/
 */
async function writeOptionFile(password: string, { ports, user }: ProgramContext): Promise<string> {
  if (password.includes("\0")) {
    throw new RunFailedError("Cannot use the task's database_password: it holds a NUL character");
  }
  const quoted = password.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  const path = `${ports.workDirectory}/mysql.cnf`;
  await Deno.writeTextFile(path, `[client]\npassword="${quoted}"\n`, { mode: 0o600 });
  // The program runs as `user`. It opens the file again through the file's descriptor, so `user` must own the
  // file.
  if (user !== null) await Deno.chown(path, user.uid, user.gid);
  return path;
}
