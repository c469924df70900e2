/**
 * Runs a PostgreSQL server. Tests back up its databases. The server consists of Debian's programs and a
 * cluster in a temporary directory. The server listens on a socket in this directory, and accepts clients
 * there without a password. It also listens on a free port of 127.0.0.1, with a password. If the tests run as
 * root, the server runs as the system user `postgres`.
 */
import { freePort } from "./ports.ts";
import { exists } from "../programs.ts";
import { scramHash } from "./scram.ts";
import { copyTemplate } from "./templates.ts";
import { until } from "../assertions/until.ts";

const PASSWORD = "pässword with \\ and : 'quotes'";

export interface PostgresqlOptions {
  /**
   * The directory with the programs `initdb` and `postgres`. By default, it is Debian's directory of the
   * newest version.
   */
  programs?: string;
  /**
   * The primary server, if this server is a streaming standby. Commits of the primary then wait for this
   * server.
   */
  standbyOf?: PostgresqlServer;
  /** Additional lines of the server's configuration file. */
  settings?: string;
}

/** The application name with which a standby connects to its primary. */
const STANDBY = "standby";

export class PostgresqlServer implements AsyncDisposable {
  readonly username = "postgres";
  readonly password = PASSWORD;
  readonly host = "127.0.0.1";

  private constructor(
    readonly programs: string,
    /** The directory of the server's socket. */
    readonly directory: string,
    readonly port: number,
    private process: Deno.ChildProcess,
  ) {}

  static async open(options: PostgresqlOptions = {}): Promise<PostgresqlServer> {
    const programs = options.programs ?? newestPrograms();
    const directory = await Deno.makeTempDir({ prefix: "rearguard-postgresql-" });
    const owner = await systemUser("postgres");
    if (owner !== null) await Deno.chown(directory, owner.uid, owner.gid);
    const primary = options.standbyOf;
    if (primary === undefined) {
      await copyTemplate(`${directory}/data`, {
        key: ["postgresql", programs],
        owner,
        create: (path) => makeCluster(programs, path, owner?.name),
      });
    } else await copyCluster(programs, directory, primary, owner?.name);
    if (options.settings !== undefined) {
      await Deno.writeTextFile(`${directory}/data/postgresql.conf`, options.settings, { append: true });
    }
    const port = freePort();
    const server = new PostgresqlServer(
      programs,
      directory,
      port,
      start(programs, directory, port, owner?.name),
    );
    await server.ready();
    await primary?.waitFor(STANDBY);
    return server;
  }

  /** The server's address as `HOST:PORT`. */
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Returns the URL of a database. The URL also lists `others`: servers that might become the primary. */
  url(database: string, others: readonly PostgresqlServer[] = []): string {
    const servers = [this, ...others].map(({ address }) => address).join(",");
    return `postgres://${this.username}:${encodeURIComponent(this.password)}@${servers}/${database}`;
  }

  /** Kills all processes of the server at once, as a power failure would. */
  async kill(): Promise<void> {
    const { pid } = this.process;
    const children = (await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).trim().split(" ").map(
      Number,
    );
    for (const each of [pid, ...children]) {
      try {
        Deno.kill(each, "SIGKILL");
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    await this.process.status;
    // The server's shared memory is freed when the last of its processes ends.
    await until(() => children.every((each) => !isAlive(each)));
  }

  /** Starts the server again after {@link kill} or {@link stop}. */
  async restart(): Promise<void> {
    const owner = await systemUser("postgres");
    this.process = start(this.programs, this.directory, this.port, owner?.name);
    await this.ready();
  }

  async promote(): Promise<void> {
    await this.sql("postgres", "select pg_promote(true, 30)");
  }

  /** Makes every commit wait for the standby of this name. Resolves once the standby is connected. */
  private async waitFor(standby: string): Promise<void> {
    await this.sql("postgres", `alter system set synchronous_standby_names = '${standby}'`);
    await this.sql("postgres", "select pg_reload_conf()");
    await until(async () =>
      (await this.sql("postgres", "select sync_state from pg_stat_replication")).trim() === "sync"
    );
  }

  /** Runs SQL as the superuser. Returns a line for each row, with `|` between columns. */
  async sql(database: string, text: string): Promise<string> {
    return await this.client(
      "psql",
      ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"],
      database,
      text,
    );
  }

  /**
   * Runs a client program, which connects to a database through the socket. `input` becomes the program's
   * stdin. Returns its stdout.
   */
  async client(name: string, args: string[], database: string, input?: string | Uint8Array): Promise<string> {
    // Prefer the real program. On Debian, the PATH might lead to a script that only starts the real program.
    const own = `${this.programs}/${name}`;
    const child = new Deno.Command(await exists(own) ? own : name, {
      args,
      env: { PGHOST: this.directory, PGPORT: String(this.port), PGUSER: "postgres", PGDATABASE: database },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    const fed = (async () => {
      if (input !== undefined) {
        await writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input);
      }
      await writer.close();
    })().catch(() => {});
    const { success, stdout, stderr } = await child.output();
    await fed;
    if (!success) throw new Error(`Cannot run ${name}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }

  /** Stops the server cleanly. The data remain until {@link Symbol.asyncDispose}. */
  async stop(): Promise<void> {
    this.process.kill("SIGINT");
    await this.process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
    await Deno.remove(this.directory, { recursive: true });
  }

  /**
   * Waits until the postmaster's file says that the server is ready. Reading the file costs less than
   * repeated connections.
   */
  private async ready(): Promise<void> {
    const { pid } = this.process;
    await until(async () => {
      const lines = (await Deno.readTextFile(`${this.directory}/data/postmaster.pid`).catch(() => ""))
        .split("\n");
      return Number(lines[0]) === pid && lines[7]?.trim() === "ready";
    });
    await this.sql("postgres", "select 1");
  }
}

async function makeCluster(programs: string, path: string, user: string | undefined): Promise<void> {
  const password = await Deno.makeTempFile();
  await Deno.writeTextFile(password, scramHash(PASSWORD));
  await Deno.chmod(password, 0o644);
  await program([
    `${programs}/initdb`,
    "--username=postgres",
    "--auth-local=trust",
    "--auth-host=scram-sha-256",
    `--pwfile=${password}`,
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
    `--pgdata=${path}`,
  ], user);
  await Deno.remove(password);
}

/**
 * Copies the primary's cluster for a standby. Connects over the primary's socket, because the socket requires
 * no password.
 */
async function copyCluster(
  programs: string,
  directory: string,
  primary: PostgresqlServer,
  user: string | undefined,
): Promise<void> {
  await program([
    `${programs}/pg_basebackup`,
    `--dbname=host=${primary.directory} port=${primary.port} user=postgres application_name=${STANDBY}`,
    `--pgdata=${directory}/data`,
    "--checkpoint=fast",
    "--wal-method=stream",
    "--write-recovery-conf",
    "--no-sync",
  ], user);
}

function start(
  programs: string,
  directory: string,
  port: number,
  user: string | undefined,
): Deno.ChildProcess {
  const settings = { listen_addresses: "127.0.0.1", port, unix_socket_directories: directory, fsync: "off" };
  const [first, ...rest] = asUser(user, [
    `${programs}/postgres`,
    "-D",
    `${directory}/data`,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ]);
  return new Deno.Command(first!, { args: rest, cwd: "/", stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
}

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, 0 as unknown as Deno.Signal);
    return true;
  } catch {
    return false;
  }
}

function newestPrograms(): string {
  const versions = [...Deno.readDirSync("/usr/lib/postgresql")].map(({ name }) => Number(name)).sort((a, b) =>
    b - a
  );
  return `/usr/lib/postgresql/${versions[0]}/bin`;
}

/**
 * Returns the system user with this name, to run a server as this user. Servers refuse to run as root.
 * Returns null if the tests do not run as root, because no other user is needed then.
 */
export async function systemUser(name: string): Promise<{ name: string; uid: number; gid: number } | null> {
  if (Deno.uid() !== 0) return null;
  const [, , uid, gid] = (await program(["getent", "passwd", name])).split(":");
  return { name, uid: Number(uid), gid: Number(gid) };
}

/**
 * Returns the command line that runs a command as a user. If `user` is undefined, returns the command
 * unchanged. Otherwise uses the program setpriv, which replaces itself with the command. So signals to the
 * process reach the command.
 */
export function asUser(user: string | undefined, command: string[]): string[] {
  return user === undefined
    ? command
    : ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups", ...command];
}

export async function program(command: string[], user?: string): Promise<string> {
  const [first, ...args] = asUser(user, command);
  const { success, stdout, stderr } = await new Deno.Command(first!, { args, cwd: "/", stdin: "null" })
    .output();
  if (!success) throw new Error(`Cannot run ${command[0]}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
