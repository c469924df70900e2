/** Runs PgBouncer in front of a test's PostgreSQL server, without authentication. */
import { freePort, reachable } from "./ports.ts";
import { type PostgresqlServer, systemUser } from "./postgresql.ts";

export interface PgbouncerOptions {
  mode: "session" | "transaction" | "statement";
  /**
   * Startup parameters that PgBouncer ignores. By default, these are the parameters that PgBouncer must
   * ignore so that Rearguard can connect.
   */
  ignoredStartupParameters?: string;
}

const KEEPALIVES = "tcp_keepalives_idle, tcp_keepalives_interval, tcp_keepalives_count";

export class Pgbouncer implements AsyncDisposable {
  private constructor(
    readonly port: number,
    private readonly process: Deno.ChildProcess,
    private readonly directory: string,
  ) {}

  static async open(
    server: PostgresqlServer,
    { mode, ignoredStartupParameters = KEEPALIVES }: PgbouncerOptions,
  ): Promise<Pgbouncer> {
    const directory = await Deno.makeTempDir({ prefix: "rearguard-pgbouncer-" });
    const port = freePort();
    await Deno.writeTextFile(
      `${directory}/pgbouncer.ini`,
      `[databases]
* = host=${server.directory} port=${server.port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
ignore_startup_parameters = ${ignoredStartupParameters}
`,
    );
    const owner = await systemUser("postgres");
    if (owner !== null) await Deno.chown(directory, owner.uid, owner.gid);
    await Deno.chmod(directory, 0o755);
    const process = new Deno.Command("pgbouncer", {
      args: ["--quiet", `${directory}/pgbouncer.ini`],
      ...(owner === null ? {} : { uid: owner.uid, gid: owner.gid }),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await reachable("127.0.0.1", port);
    return new Pgbouncer(port, process, directory);
  }

  url(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.status;
    await Deno.remove(this.directory, { recursive: true });
  }
}
