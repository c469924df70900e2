/**
 * Connects PostgreSQL's programs to a server. The programs get settings in environment variables and the
 * password in a file, never as arguments.
 */
import type { DatabaseSource } from "../../../../src/definitions/sources/database_server.ts";
import { type Answer, capture } from "../../programs/capture.ts";
import type { Command, Redirect } from "../../programs/children.ts";
import { oneLine } from "../../programs/line.ts";
import { RunFailedError } from "../../ports.ts";
import type { ProgramContext } from "../../run_context.ts";
import type { SystemUser } from "../../programs/system_user.ts";
import { findUser } from "../../programs/find_user.ts";

const CONNECT_TIMEOUT_SECONDS = 30;
/**
 * File descriptor on which programs receive the password file. The file is opened before a program changes to
 * another user.
 */
const PASSWORD_DESCRIPTOR = 3;

/**
 * Statements at the start of each session. They override two settings that a database might have:
 * - A `statement_timeout` would end statements, for example after a second.
 * - A `search_path` could put functions of the database's owner in place of the server's functions. The
 *   owner's functions would then run with the login's rights.
 */
const SESSION = "set statement_timeout = 0; set search_path = pg_catalog";

/**
 * Time, in milliseconds, within which a server frees the connection of a program that has ended. Usually the
 * server needs only a moment. A busy server needs longer.
 */
const RELEASE_TIME = 1_000;
/** Maximum number of times that psql tries to connect if the server refuses because of a connection limit. */
const CONNECT_TRIES = 10;

/** Address of a server, and the login's name and password. */
type Login = Pick<DatabaseSource, "host" | "port" | "username" | "password">;

/** A connection, and the path of the psql program that uses it. */
export interface PostgresqlClient {
  readonly connection: PostgresqlConnection;
  readonly psql: string;
}

export class PostgresqlConnection {
  /** Whether the limits of the role and the database leave no room for two connections at the same time. */
  isLimited = false;

  private constructor(
    /** The address and login as shown to users, such as `the local socket as postgres`. */
    readonly description: string,
    private readonly context: ProgramContext,
    private readonly environment: Record<string, string>,
    private readonly redirects: Redirect[],
    private readonly user: SystemUser | null,
  ) {}

  /**
   * Opens a connection. If the connection uses a socket, PostgreSQL might accept only the system user that
   * has the same name as the role. So an agent that is root runs the programs as this system user, unless the
   * job names another user.
   *
   * @param options Settings for the session, as in the variable `PGOPTIONS`.
   */
  static async open(
    source: Login,
    context: ProgramContext,
    options: string | null = null,
  ): Promise<PostgresqlConnection> {
    const { host, port, password } = source;
    const onSocket = host === null || host.startsWith("/");
    const username = source.username ?? (onSocket ? context.job.run_as : null) ?? "postgres";
    const switches = onSocket && context.job.run_as === null && Deno.uid() === 0;
    const user = switches ? await findUser(context.children, username) : context.user;
    const environment: Record<string, string> = {
      ...tlsSettings(),
      PGUSER: username,
      PGCONNECT_TIMEOUT: String(CONNECT_TIMEOUT_SECONDS),
      PGAPPNAME: "rearguard",
      ...(options === null ? {} : { PGOPTIONS: options }),
      ...(host === null ? {} : { PGHOST: host }),
      ...(port === null ? {} : { PGPORT: String(port) }),
    };
    const redirects: Redirect[] = [];
    if (password !== null) {
      environment.PGPASSFILE = `/proc/self/fd/${PASSWORD_DESCRIPTOR}`;
      redirects.push({
        descriptor: PASSWORD_DESCRIPTOR,
        direction: "<",
        path: await writePasswordFile(password, context, user),
      });
    }
    const address = onSocket ? `the socket${host === null ? "" : ` in ${host}`}` : host;
    const at = port === null ? address : `${address}, port ${port}`;
    return new PostgresqlConnection(`${at} as ${username}`, context, environment, redirects, user);
  }

  /**
   * Returns a command that runs a program connected to `database`. The name is passed in an environment
   * variable, because programs would parse some names in arguments as connection settings.
   */
  command(program: string, args: string[], database: string): Command {
    return {
      program,
      args: [...args, "--no-password"],
      env: { ...this.environment, PGDATABASE: database },
      user: this.user,
      redirects: this.redirects,
    };
  }

  /** Returns the rows of a SELECT, converted from JSON. */
  async query<Row>(psql: string, database: string, select: string): Promise<Row[]> {
    const sql = `select coalesce(json_agg(row_to_json(q)), '[]') from (${select}) q`;
    return JSON.parse(await this.execute(psql, database, sql));
  }

  /**
   * Returns a command that starts psql with a script on its stdin. The script consists of SQL and of psql's
   * own commands, and has to begin with the session's settings. psql stops at the first error.
   */
  scriptCommand(psql: string, database: string): Command {
    const args = [
      "--no-psqlrc",
      "--quiet",
      "--no-align",
      "--tuples-only",
      "--set=ON_ERROR_STOP=1",
      "--file=-",
    ];
    const command = this.command(psql, args, database);
    return { ...command, env: { ...command.env, PGCLIENTENCODING: "UTF8" } };
  }

  /** Executes a script and returns the output of all its statements. */
  async script(psql: string, database: string, text: string): Promise<string> {
    const command = this.scriptCommand(psql, database);
    return await this.#capture(command, new TextEncoder().encode(`${SESSION};\n${text}`));
  }

  /** Executes statements in one transaction. Returns the output of the last statement. */
  async execute(psql: string, database: string, sql: string): Promise<string> {
    const args = [
      ...["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"],
      ...[`--command=${SESSION}`, `--command=${sql}`],
    ];
    const command = this.command(psql, args, database);
    return await this.#capture({ ...command, env: { ...command.env, PGCLIENTENCODING: "UTF8" } });
  }

  /**
   * If `isLimited`, gives the server time to free the connections of ended programs. Without this wait, the
   * server would refuse the next program's connection.
   */
  async settle(): Promise<void> {
    if (this.isLimited) await this.context.ports.clock.sleep(RELEASE_TIME);
  }

  /**
   * Runs psql and returns its output. Tries again if psql is refused because the role or the database has too
   * many connections.
   */
  async #capture(command: Command, input?: Uint8Array): Promise<string> {
    for (let tries = 1;; tries++) {
      const answer = await capture(this.context.children, command, input);
      if (tries === CONNECT_TRIES || !isRefusedByLimit(answer)) return this.#answer(answer);
      await this.context.ports.clock.sleep(RELEASE_TIME / 2);
    }
  }

  #answer(answer: Answer): string {
    if (answer.exit.code === 0) return answer.stdout;
    const messages = answer.messages.filter((line) => !line.startsWith("password retrieved from file"));
    const message = oneLine(messages.join("\n").replace(/^psql(?::<stdin>:\d+)?: (?:error: )?/, "")) ||
      `psql exited with ${answer.exit.code}`;
    throw new RunFailedError(`Cannot use PostgreSQL at ${this.description}: ${message}`);
  }
}

/**
 * Returns whether the server refused psql's connection because the role or the database has reached its limit
 * of connections.
 */
function isRefusedByLimit({ exit, messages }: Answer): boolean {
  return exit.code === 2 && messages.some((line) => /FATAL: +too many connections for /.test(line));
}

/**
 * Returns an option that names the database in a connection string. A name that is passed alone might be
 * parsed as connection settings.
 */
export function connectionArgument(option: string, database: string): string {
  return `${option}=dbname='${database.replace(/[\\']/g, "\\$&")}'`;
}

/**
 * Writes a password file and returns its path. The file's only line applies to all servers:
 * https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
async function writePasswordFile(
  password: string,
  { ports }: ProgramContext,
  user: SystemUser | null,
): Promise<string> {
  if (/[\n\0]/.test(password)) {
    throw new RunFailedError(
      "Cannot use the task's database_password: PostgreSQL's password file supports no line breaks",
    );
  }
  const path = `${ports.workDirectory}/pgpass`;
  await Deno.writeTextFile(path, `*:*:*:*:${password.replace(/[\\:]/g, "\\$&")}\n`, { mode: 0o600 });
  // libpq opens the file a second time, through its descriptor and as the user that the program runs as.
  if (user !== null) await Deno.chown(path, user.uid, user.gid);
  return path;
}

/**
 * Returns the TLS settings that the operator gave the agent in environment variables, such as `PGSSLMODE`.
 */
function tlsSettings(): Record<string, string> {
  return Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => name.startsWith("PGSSL")));
}
