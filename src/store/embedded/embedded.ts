/**
 * Runs the embedded Postgres: a cluster in one directory. Postgres is started detached, so it goes on running
 * if this process crashes.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../../domain/clock.ts";
import { openDatabase } from "../database/database.ts";
import { type Account, postgresAccount } from "./embedded_account.ts";
import { prepareClusterDirectory } from "./embedded_directory.ts";
import { findPostmaster, type Postmaster, settledPostmaster } from "./embedded_postmaster.ts";
import { EmbeddedPostgresError, installPrograms, packagedPrograms } from "./embedded_programs.ts";

export { EmbeddedPostgresError };

export interface EmbeddedOptions {
  /**
   * Absolute path of the cluster's directory. The directory is created if absent. It contains `data`,
   * `socket`, `log`, `programs` and `password`, or links to them.
   */
  readonly directory: string;
  readonly clock: Clock;
  /** Port of 127.0.0.1 to listen on in addition to the Unix socket; null for the socket only. */
  readonly port: number | null;
  /** Whether data survives a power cut. Tests pass `false`, because Postgres is then faster. */
  readonly durable: boolean;
  /** Settings that override this file's defaults, by their names in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /**
   * Environment variables for Postgres in addition to `PATH` and `LC_ALL`, for example to give Postgres
   * another clock.
   */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running cluster. */
export interface EmbeddedPostgres {
  readonly pid: number;
  /** Whether Postgres was already running. An earlier process had started it, and was then killed. */
  readonly adopted: boolean;
  /**
   * Path of the cluster's directory without symbolic links. If `directory` is a symbolic link, this is its
   * target's path.
   */
  readonly location: string;
  /** Options for `openDatabase(null, connection)`. The database exists, and is empty at first. */
  readonly connection: {
    readonly database: string;
    readonly host: string;
    readonly port: number;
    readonly username: string;
    readonly password: string;
  };
  /**
   * If Postgres has ended, starts it again at the same address and resolves with true. Otherwise resolves
   * with false.
   */
  revive(): Promise<boolean>;
  /** Closes all connections and stops Postgres after it has written everything to disk. */
  stop(): Promise<void>;
}

const PORT_ON_SOCKET = 5432; // only a part of the socket's file name
const USERNAME = "rearguard";
const DATABASE = "rearguard";
const MAJOR_VERSION = "18";
/** Maximum length of the path of a Unix socket in bytes. Linux allows 107 bytes, macOS 103. */
const LONGEST_SOCKET_PATH = 103;

/**
 * Starts the cluster and returns it. Creates the cluster if it does not exist, and adopts a Postgres that
 * already runs in this directory.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const account = await postgresAccount();
  const place = await prepareClusterDirectory(options.directory, account);
  const programs = await installPrograms(await packagedPrograms(), join(place, "programs"));
  const cluster = new Cluster(options, account, place, programs);
  await cluster.prepare();
  return await cluster.start();
}

class Cluster {
  readonly #data: string;
  readonly #log: string;
  #shortSockets: string | null = null;

  constructor(
    readonly options: EmbeddedOptions,
    readonly account: Account | null,
    readonly location: string,
    readonly programs: string,
  ) {
    this.#data = join(location, "data");
    this.#log = join(location, "log");
  }

  async prepare(): Promise<void> {
    await this.#ownDirectory(this.#log);
    await this.#ownDirectory(join(this.location, "socket"));
    const version = await readOptional(join(this.#data, "PG_VERSION"));
    if (version === null) await this.#initialise();
    else if (version.trim() !== MAJOR_VERSION) {
      throw new EmbeddedPostgresError(
        `Cannot start the embedded Postgres: ${this.#data} was made by Postgres ${version.trim()}, this is ` +
          `${MAJOR_VERSION}; move it with pg_dump, or set DATABASE_URL`,
      );
    }
  }

  async start(): Promise<EmbeddedPostgres> {
    const running = await settledPostmaster(this.#data, this.options.clock);
    if (running?.program === join(this.programs, "bin", "postgres")) {
      return await this.#describe(running, true);
    }
    if (running !== null) await this.#stop(); // the programs of an older version
    const sockets = await this.#socketDirectory();
    // Postgres does not run now. The files of an earlier run might name a process id that now belongs to
    // another process.
    await emptyDirectory(sockets);
    await this.#configure(sockets);
    await this.#launch();
    const started = await settledPostmaster(this.#data, this.options.clock);
    if (started === null) throw new EmbeddedPostgresError(await this.#explain("it ended at once"));
    return await this.#describe(started, false);
  }

  async #describe({ pid, port, socketDirectory }: Postmaster, adopted: boolean): Promise<EmbeddedPostgres> {
    const password = await Deno.readTextFile(this.#passwordFile);
    if (socketDirectory !== join(this.location, "socket")) this.#shortSockets = socketDirectory;
    const host = this.options.port === null ? socketDirectory : "127.0.0.1";
    const connection = { host, port, username: USERNAME, password, database: DATABASE };
    await createDatabase(connection);
    const revive = () => this.#revive();
    return { pid, adopted, location: this.location, connection, revive, stop: () => this.#end() };
  }

  async #revive(): Promise<boolean> {
    if (await findPostmaster(this.#data) !== null) return false;
    await this.start();
    return true;
  }

  get #passwordFile(): string {
    return join(this.location, "password");
  }

  /**
   * Creates the cluster under a temporary name, and renames it when it is complete. So an incomplete cluster
   * is never taken for a complete one.
   */
  async #initialise(): Promise<void> {
    const partial = join(this.location, "data.partial");
    await removeTree(partial);
    await this.#ownDirectory(partial);
    const password = randomBytes(24).toString("hex");
    await writePrivate(this.#passwordFile, password);
    const handed = join(this.#log, "initdb-password");
    await writePrivate(handed, password);
    if (this.account !== null) await Deno.chown(handed, this.account.uid, this.account.gid);
    try {
      const args = ["-D", partial, "-U", USERNAME, `--pwfile=${handed}`, "--auth=scram-sha-256"];
      args.push("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8");
      if (!this.options.durable) args.push("--no-sync");
      const { code, text } = await this.#run("initdb", args);
      if (code !== 0) throw new EmbeddedPostgresError(`Cannot make the embedded Postgres: ${lastLine(text)}`);
    } finally {
      await Deno.remove(handed);
    }
    await Deno.rename(partial, this.#data);
  }

  /**
   * Writes postgresql.conf and pg_hba.conf at each start. Operators change settings with ALTER SYSTEM. Such
   * settings take precedence over these files.
   */
  async #configure(sockets: string): Promise<void> {
    const settings: Record<string, string | number> = {
      listen_addresses: this.options.port === null ? "" : "127.0.0.1",
      port: this.options.port ?? PORT_ON_SOCKET,
      unix_socket_directories: sockets,
      unix_socket_permissions: "0700",
      password_encryption: "scram-sha-256",
      max_connections: 100,
      timezone: "UTC",
      log_timezone: "UTC",
      logging_collector: "on",
      log_directory: this.#log,
      log_filename: "postgresql-%a.log",
      log_rotation_age: "1d",
      log_truncate_on_rotation: "on",
      ...(this.options.durable ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
      ...this.options.settings,
    };
    const lines = Object.entries(settings).map(([name, value]) =>
      `${name} = '${String(value).replaceAll("'", "''")}'`
    );
    const head = "# Written by Rearguard at each start. To change a setting use ALTER SYSTEM.\n";
    await this.#writeOwned("postgresql.conf", `${head}${lines.join("\n")}\n`);
    await this.#writeOwned(
      "pg_hba.conf",
      "local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n",
    );
  }

  async #socketDirectory(): Promise<string> {
    const usual = join(this.location, "socket");
    const length = new TextEncoder().encode(`${usual}/.s.PGSQL.${PORT_ON_SOCKET}`).length;
    if (length <= LONGEST_SOCKET_PATH) return usual;
    if (this.#shortSockets === null) {
      this.#shortSockets = await Deno.makeTempDir({ dir: "/tmp", prefix: "rearguard-" });
      await this.#ownDirectory(this.#shortSockets);
    }
    return this.#shortSockets;
  }

  async #launch(): Promise<void> {
    const log = join(this.#log, "start.log");
    for (let attempt = 1;; attempt++) {
      await removeTree(log);
      const { code, text } = await this.#run("pg_ctl", [
        "start",
        "-w",
        "-t",
        "300",
        "-D",
        this.#data,
        "-l",
        log,
      ]);
      if (code === 0) return;
      const reason = await this.#explain(lastLine(text));
      // The child processes of a killed Postgres need a moment to end. They use the shared memory until then.
      if (!reason.includes("shared memory block") || attempt === 50) throw new EmbeddedPostgresError(reason);
      await this.options.clock.sleep(200);
    }
  }

  async #end(): Promise<void> {
    await this.#stop();
    if (this.#shortSockets !== null) await removeTree(this.#shortSockets);
  }

  async #stop(): Promise<void> {
    const args = ["stop", "-w", "-t", "60", "-D", this.#data];
    if ((await this.#run("pg_ctl", [...args, "-m", "fast"])).code === 0) return;
    if (await findPostmaster(this.#data) === null) return;
    const { code, text } = await this.#run("pg_ctl", [...args, "-m", "immediate"]);
    if (code !== 0) throw new EmbeddedPostgresError(`Cannot stop the embedded Postgres: ${lastLine(text)}`);
  }

  /**
   * Returns an error message with the newest FATAL or PANIC line of the logs, because pg_ctl reports less. If
   * there is no such line, the message contains `otherwise`.
   */
  async #explain(otherwise: string): Promise<string> {
    const current = /^stderr (.+)$/m.exec(await readOptional(join(this.#data, "current_logfiles")) ?? "");
    const logs = [join(this.#log, "start.log"), ...(current === null ? [] : [current[1]!])];
    const texts = await Promise.all(logs.map(readOptional));
    const lines = texts.join("\n").split("\n");
    const fatal = lines.findLast((line) => /\b(FATAL|PANIC):/.test(line)) ?? otherwise;
    return `Cannot start the embedded Postgres: ${
      fatal.replace(/^.*?(?=FATAL|PANIC)/, "")
    } (its log: ${this.#log})`;
  }

  /** Runs a program without this process's environment, because the environment contains secrets. */
  async #run(program: string, args: string[]): Promise<{ code: number; text: string }> {
    const command = new Deno.Command(join(this.programs, "bin", program), {
      args,
      cwd: this.#log,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C", ...this.options.env },
      ...this.account,
    });
    const { code, stdout, stderr } = await command.output().catch((cause: Error) => {
      throw new EmbeddedPostgresError(
        `Cannot start the embedded Postgres: ${this.programs} holds programs that can't be run: ${cause.message}`,
        { cause },
      );
    });
    return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  }

  async #ownDirectory(path: string): Promise<void> {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    await Deno.chmod(path, 0o700);
    if (this.account !== null) await Deno.chown(path, this.account.uid, this.account.gid);
  }

  async #writeOwned(name: string, text: string): Promise<void> {
    const path = join(this.#data, name);
    await writePrivate(path, text);
    if (this.account !== null) await Deno.chown(path, this.account.uid, this.account.gid);
  }
}

async function createDatabase(connection: EmbeddedPostgres["connection"]): Promise<void> {
  const sql = openDatabase(null, { ...connection, database: "postgres", max: 1 });
  try {
    const [known] = await sql`select 1 from pg_database where datname = ${connection.database}`;
    if (known === undefined) await sql.unsafe(`create database ${connection.database}`);
  } finally {
    await sql.end();
  }
}

async function writePrivate(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text, { mode: 0o600 });
  await Deno.chmod(path, 0o600);
}

async function removeTree(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}

async function emptyDirectory(path: string): Promise<void> {
  for await (const entry of Deno.readDir(path)) await Deno.remove(join(path, entry.name));
}

async function readOptional(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw cause;
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
