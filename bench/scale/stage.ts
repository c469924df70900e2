/**
 * Starts control planes as an operator does, on a durable Postgres, and simulates agents in another process.
 */
import { createHash } from "node:crypto";
import { systemClock } from "../../src/domain/clock.ts";
import { openDatabase } from "../../src/store/database/database.ts";
import type { Database } from "../../src/store/database/sql.ts";
import { startEmbedded } from "../../src/store/embedded/embedded.ts";
import { ApiCaller } from "../../tests/support/clients/client.ts";
import { freePort } from "../../tests/support/servers/ports.ts";
import { ServerProcess } from "../../tests/support/servers/server.ts";
import { until } from "../../tests/support/assertions/until.ts";
import type { Order } from "./load.ts";

/** The factor by which every size is multiplied, for development: `SCALE=0.01 deno task bench scale`. */
export const SCALE = Number(Deno.env.get("SCALE") ?? 1);
export const scaled = (size: number) => Math.max(1, Math.round(size * SCALE));

const BOOTSTRAP = "rg_bench-only-0123456789";

export class ScaleStage implements AsyncDisposable {
  #planes: ServerProcess[] = [];
  #load: Deno.ChildProcess | null = null;

  /** The id of the user who owns all rows: the bootstrap administrator. */
  readonly userId = 1;

  private constructor(
    readonly sql: Database,
    readonly databaseUrl: string,
    /** The port of the first control plane. */
    readonly port: number,
    readonly directory: string,
    private readonly stack: AsyncDisposableStack,
  ) {}

  static async open(): Promise<ScaleStage> {
    await using opening = new AsyncDisposableStack();
    const directory = await Deno.makeTempDir({ prefix: "rearguard-scale-" });
    await Deno.chmod(directory, 0o755);
    opening.defer(() => Deno.remove(directory, { recursive: true }));
    const postgres = await startEmbedded({
      directory: `${directory}/postgres`,
      clock: systemClock,
      port: freePort(),
      durable: true,
    });
    opening.defer(() => postgres.stop());
    const { username, password, port, database } = postgres.connection;
    const url = `postgres://${username}:${password}@127.0.0.1:${port}/${database}`;
    const sql = openDatabase(url);
    opening.defer(() => sql.end({ timeout: 5 }));
    const awake = setInterval(() => {}, 1000); // the clock's own timers keep no process alive
    opening.defer(() => clearInterval(awake));
    const stage = new ScaleStage(sql, url, freePort(), directory, opening.move());
    await stage.start();
    return stage;
  }

  /** Starts one more control plane. Each one listens on its own port. */
  async start(): Promise<void> {
    const which = this.#planes.length;
    this.#planes.push(this.#process(which));
    await this.#planes[which]!.ready();
  }

  /** Ends the first control plane and starts it again at once. */
  async restart(signal: Deno.Signal): Promise<void> {
    await this.#planes[0]!.stop(signal);
    this.#planes[0] = this.#process(0);
    await this.#planes[0].ready();
  }

  async stopPlanes(): Promise<void> {
    for (const plane of this.#planes.splice(0)) await plane.stop();
  }

  get pid(): number {
    return this.#planes[0]!.pid;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get api(): ApiCaller {
    return new ApiCaller(this.url, BOOTSTRAP);
  }

  /** Inserts one destination, and servers with one agent key each. Returns the ids and the keys. */
  async plantServers(count: number): Promise<{ ids: number[]; keys: string[]; destinationId: number }> {
    const now = systemClock.now();
    const [first] = await this.sql<
      { id: number }[]
    >`select coalesce(max(id), 0)::int as id from remote_servers`;
    const keys = Array.from({ length: count }, () => `rga_${crypto.randomUUID()}`);
    const hashes = keys.map((key) => createHash("sha256").update(key).digest("hex"));
    const rows = await this.sql<{ id: number }[]>`
      insert into remote_servers (user_id, label, ip_address, agent_key_hash, agent_enrolled_at, created_at, updated_at)
      select ${this.userId}, 'server ' || n, 'host' || (${
      first!.id
    } + n) || '.example.com', hash, ${now}, ${now}, ${now}
      from unnest(${hashes}::text[]) with ordinality as planted (hash, n) order by n returning id`;
    const [destination] = await this.sql<{ id: number }[]>`
      insert into backup_destinations (user_id, label, type, settings, created_at, updated_at)
      values (${this.userId}, 'here', 'local', '{"local_path": "/backups"}', ${now}, ${now}) returning id`;
    return { ids: rows.map(({ id }) => id), keys, destinationId: destination!.id };
  }

  /** Inserts `each` tasks for every server. They are due in a day. */
  async plantTasks(servers: readonly number[], destinationId: number, each: number): Promise<void> {
    const now = systemClock.now();
    const later = new Date(now.getTime() + 86_400_000);
    await this.sql`
      insert into backup_tasks (user_id, remote_server_id, backup_destination_id, label, type, source_settings, frequency,
        time_to_run_at, timezone, next_run_at, created_at, updated_at)
      select ${this.userId}, server, ${destinationId}, 'task ' || n, 'files', '{"source_path": "/data"}', 'daily', '01:00',
        'Europe/Berlin', ${later}, ${now}, ${now}
      from unnest(${[...servers]}::bigint[]) as server, generate_series(1, ${each}) as n`;
    await this.sql`analyze`;
  }

  /** Makes all tasks due at the same time, and wakes the scheduler. */
  async makeDue(at: Date): Promise<void> {
    await this.sql`update backup_tasks set next_run_at = ${at}`;
    await this.sql`vacuum analyze backup_tasks`;
    await this.sql`select pg_notify('rearguard', '{"topic": "schedule_changed"}')`;
  }

  async startAgents(order: Omit<Order, "url">): Promise<void> {
    this.#load = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-all",
        "--v8-flags=--max-old-space-size=6000",
        new URL("load.ts", import.meta.url).pathname,
      ],
      stdin: "piped",
    }).spawn();
    await new Response(JSON.stringify({ ...order, url: this.url })).body!.pipeTo(this.#load.stdin);
  }

  async stopAgents(): Promise<void> {
    const load = this.#load;
    this.#load = null;
    load?.kill("SIGKILL");
    await load?.status;
  }

  /** Returns the number of agents that have connected after `since`. */
  async connected(since = new Date(0)): Promise<number> {
    const [row] = await this.sql<{ count: number }[]>`
      select count(*)::int as count from remote_servers s join replicas r on r.id = s.connection_replica_id
      where s.connection_id is not null and s.connected_at >= ${since}`;
    return row!.count;
  }

  /** Returns the time of each agent's newest connection, in milliseconds since the epoch, sorted. */
  async connectedAt(): Promise<number[]> {
    const rows = await this.sql<{ at: Date }[]>`
      select connected_at as at from remote_servers where connection_id is not null order by connected_at`;
    return rows.map(({ at }) => at.getTime());
  }

  async allConnected(count: number, since?: Date): Promise<void> {
    await until(async () => {
      await systemClock.sleep(100);
      return await this.connected(since) === count;
    }, 900_000);
  }

  /** Returns the value of a metric in `/metrics`; `NaN` if it is missing. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`${this.url}/metrics`);
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(await response.text())?.[1]);
  }

  /** Returns the first control plane's resident memory, in bytes. */
  async memory(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.pid}/status`);
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
  }

  /** Returns the processor time that the first control plane has used, in seconds. */
  async processorTime(): Promise<number> {
    const stat = await Deno.readTextFile(`/proc/${this.pid}/stat`);
    const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13);
    return (Number(user) + Number(system)) / 100;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAgents();
    await this.stopPlanes();
    await this.stack.disposeAsync();
  }

  #process(which: number): ServerProcess {
    return new ServerProcess({
      dataDirectory: `${this.directory}/data-${which}`,
      env: {
        DATABASE_URL: this.databaseUrl,
        SECRET_KEY: "ab".repeat(32),
        BOOTSTRAP_TOKEN: BOOTSTRAP,
        LOCAL_AGENT: "0",
        LOG_LEVEL: "warning",
        LOG_FORMAT: "json",
        RATE_LIMIT_PER_MINUTE: "0",
        PORT: String(which === 0 ? this.port : freePort()),
      },
    });
  }
}
