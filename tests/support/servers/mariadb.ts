/**
 * Runs a MariaDB server whose databases tests back up. The server's files are in a temporary directory. It
 * listens on a socket in this directory and on a free port of 127.0.0.1. The user who runs the tests logs in
 * over the socket as `root`. If the tests run as root, the server itself runs as the system user `mysql`.
 */
import { freePort } from "./ports.ts";
import { copyTemplate } from "./templates.ts";
import { asUser, program, systemUser } from "./postgresql.ts";

/** Sets the size of the log file. The server writes the whole file at each start; the default is 96 MB. */
const LOG_SIZE = "--innodb-log-file-size=10M";

export class MariadbServer implements AsyncDisposable {
  readonly host = "127.0.0.1";
  /** A login with a password and every privilege, allowed from any host. */
  readonly username = "backup";
  readonly password = `pass#word "quoted" \\ 'and' back\\slash`;

  private constructor(
    readonly directory: string,
    readonly socket: string,
    readonly port: number,
    private process: Deno.ChildProcess,
  ) {}

  /**
   * Starts a server.
   *
   * @param settings Arguments of the server program.
   */
  static async open(settings: readonly string[] = []): Promise<MariadbServer> {
    const directory = await Deno.makeTempDir({ prefix: "rearguard-mariadb-" });
    const owner = await systemUser("mysql");
    // The clients of every user must reach the socket. Only the server can read the data directory.
    await Deno.chmod(directory, 0o755);
    // When a server starts, it removes temporary tables from its tmpdir, even those of other servers. So each
    // server has its own tmpdir.
    await Deno.mkdir(`${directory}/tmp`);
    if (owner !== null) {
      for (const own of [directory, `${directory}/tmp`]) await Deno.chown(own, owner.uid, owner.gid);
    }
    const install = ["mariadb-install-db", "--no-defaults", "--skip-test-db", LOG_SIZE, ...settings];
    install.push("--auth-root-authentication-method=normal");
    await copyTemplate(`${directory}/data`, {
      key: install,
      owner,
      create: (path) => program([...install, `--datadir=${path}`, `--tmpdir=${directory}/tmp`], owner?.name),
    });
    const socket = `${directory}/mysqld.sock`;
    const port = freePort();
    const process = start({ directory, socket, port, user: owner?.name, settings });
    const server = new MariadbServer(directory, socket, port, process);
    await server.ready();
    const password = server.password.replace(/[\\']/g, "\\$&");
    await server.sql(
      "mysql",
      `create user '${server.username}'@'%' identified by '${password}';
       grant all on *.* to '${server.username}'@'%' with grant option;`,
    );
    return server;
  }

  /** Runs SQL as the user root. Returns a line for each row, with tabs between columns. */
  async sql(database: string, text: string | Uint8Array): Promise<string> {
    const child = new Deno.Command("mariadb", {
      args: [
        "--no-defaults",
        `--socket=${this.socket}`,
        "--user=root",
        "--batch",
        "--default-character-set=utf8mb4",
        "--skip-column-names",
        `--database=${database}`,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    const fed = writer.write(typeof text === "string" ? new TextEncoder().encode(text) : text)
      .then(() => writer.close()).catch(() => {});
    const { success, stdout, stderr } = await child.output();
    await fed;
    if (!success) throw new Error(`Cannot run SQL: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }

  async stop(): Promise<void> {
    this.process.kill("SIGTERM");
    await this.process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
    await Deno.remove(this.directory, { recursive: true });
  }

  private async ready(): Promise<void> {
    const deadline = performance.now() + 30_000;
    for (;;) {
      try {
        await Deno.lstat(this.socket); // costs less than to start a client
        await this.sql("mysql", "select 1");
        return;
      } catch (cause) {
        if (performance.now() > deadline) {
          throw new Error("Cannot start MariaDB: no answer after 30 s", { cause });
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}

interface ServerStart {
  directory: string;
  socket: string;
  port: number;
  user: string | undefined;
  settings: readonly string[];
}

function start({ directory, socket, port, user, settings }: ServerStart): Deno.ChildProcess {
  const [first, ...args] = asUser(user, [
    "mariadbd",
    "--no-defaults",
    `--datadir=${directory}/data`,
    `--tmpdir=${directory}/tmp`,
    `--socket=${socket}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    `--pid-file=${directory}/mariadbd.pid`,
    "--innodb-flush-log-at-trx-commit=0",
    LOG_SIZE,
    "--innodb-buffer-pool-size=32M",
    "--event-scheduler=ON",
    ...settings,
  ]);
  return new Deno.Command(first!, { args, cwd: "/", stdin: "null", stdout: "null", stderr: "null" }).spawn();
}
