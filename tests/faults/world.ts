/**
 * The environment of plans. All of its parts are real:
 * - Postgres;
 * - three control planes behind a TCP balancer;
 * - two agents that connect through the harness's proxy;
 * - destinations of each type.
 *
 * One world serves many plans.
 */
import { randomBytes } from "node:crypto";
import { openDatabase } from "../../src/store/database/database.ts";
import type { Database } from "../../src/store/database/sql.ts";
import { shell } from "../support/fixtures/backup_run.ts";
import { Balancer } from "../support/servers/balancer.ts";
import { type Answer, ApiCaller } from "../support/clients/client.ts";
import { freePort } from "../support/servers/ports.ts";
import { until } from "../support/assertions/until.ts";
import { SmallDisk } from "./disk.ts";
import type { Frame } from "./frames.ts";
import { Places } from "./places.ts";
import { AGENTS, type FrameAction, type PlaceName, PLACES, type TreeName } from "./plan.ts";
import { MortalPostgres } from "./postgres.ts";
import { launchAgent, launchPlane } from "./processes.ts";
import { createScripts } from "./scripts.ts";
import { SentEvents } from "./sent_events.ts";
import { type Process, Supervisor } from "./supervisor.ts";
import { growTrees, type Tree } from "./trees.ts";
import { type Side, Wire } from "./wire.ts";

const PLANES = 3;
const STATE_DISK_BYTES = 16 * 2 ** 20;
/**
 * Time in milliseconds from a change of a clock until every program uses the changed clock. Every second,
 * libfaketime reads the file that sets its time. Control planes also read the database's clock every second.
 */
const CLOCK_CACHE = 3_000;
/** Time limit for the start of a control plane or an agent, in milliseconds. */
const START = 60_000;

export interface WorldAgent {
  readonly supervisor: Supervisor<Process>;
  readonly wire: Wire;
  readonly serverId: number;
  readonly stateDisk: SmallDisk;
  /** The path of the directory for temporary files of the agent's programs. */
  readonly temporary: string;
}

export interface WorldPlane {
  readonly supervisor: Supervisor<Process>;
  /**
   * The control plane's port. It changes with each start, because another connection might have taken the old
   * port.
   */
  port: number;
  readonly clockFile: string;
}

export class World implements AsyncDisposable {
  readonly agents: WorldAgent[] = [];
  readonly planes: WorldPlane[] = [];
  readonly spoken = new SentEvents();
  /**
   * The ids of all agent processes so far. Each process leads a session of processes, which has the same id.
   */
  readonly sessions = new Set<number>();
  /** The path of a file. The file contains the offset by which the database's clock is wrong. */
  readonly databaseClockFile: string;
  /** Returns the actions that the plan requires at a frame. */
  atFrame: (frame: Frame, side: Side) => Promise<readonly FrameAction[]> = () => Promise.resolve([]);
  api!: ApiCaller;
  /** The ids of a prescript and a postscript, for the tasks that have scripts. */
  scriptIds!: readonly number[];
  destinations!: Readonly<Record<PlaceName, number>>;
  trees!: Readonly<Record<TreeName, Tree>>;
  places!: Places;
  postgres!: MortalPostgres;
  database!: Database;
  temporary!: string;
  /** The ports of the running control planes. The balancer reads this array for each connection. */
  readonly #ports: number[] = [];
  #running = 0;
  readonly #parts = new AsyncDisposableStack();

  private constructor(readonly root: string) {
    this.databaseClockFile = `${root}/clock-database`;
  }

  static async open(): Promise<World> {
    const world = new World(await Deno.makeTempDir({ prefix: "rearguard-faults-" }));
    try {
      await world.#open();
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
    return world;
  }

  /** Runs `planes` control planes and stops the others. Resolves once the running control planes respond. */
  async run(planes: number): Promise<void> {
    this.#running = planes;
    for (const { supervisor } of this.planes.slice(0, planes)) supervisor.start();
    this.#listPorts();
    await Promise.all(this.planes.slice(planes).map(({ supervisor }) => supervisor.stop()));
    await this.standing();
  }

  /** Resolves once every control plane that should run is ready. */
  async answering(): Promise<void> {
    const running = this.planes.slice(0, this.#running);
    await until(() => running.every(({ supervisor }) => supervisor.current?.wasReady === true), START);
  }

  /** Resolves once every control plane is ready and every agent is connected. */
  async standing(): Promise<void> {
    await this.answering();
    let seen: unknown = null;
    await until(async () => {
      const answer = await this.api.call("GET", "/remote-servers").catch(() => null);
      seen = answer?.status === 200 ? answer.body.data : answer;
      if (answer?.status !== 200) return false;
      const states: string[] = answer.body.data.map((server: { status: { connectivity: string } }) =>
        server.status.connectivity
      );
      return states.every((state) => state === "connected");
    }, START).catch((error) => {
      throw new Error(`The agents are not there again: ${JSON.stringify(seen)}`, { cause: error });
    });
  }

  /**
   * Ends all faults, except for killed processes: they start again by themselves. Resolves once every program
   * sees the correct time.
   */
  async heal(): Promise<void> {
    let wasWrong = false;
    for (const clockFile of [this.databaseClockFile, ...this.planes.map(({ clockFile }) => clockFile)]) {
      wasWrong ||= Number(Deno.readTextFileSync(clockFile)) !== 0;
      Deno.writeTextFileSync(clockFile, "+0");
    }
    for (const { stateDisk, wire } of this.agents) {
      stateDisk.empty();
      wire.heal();
    }
    this.places.heal();
    // Programs read the clock's offset from a file, and do not report when they have read it. So wait.
    if (wasWrong) await new Promise((resolve) => setTimeout(resolve, CLOCK_CACHE));
  }

  /** Runs a query. Repeats the query while the database is unavailable. */
  async sql<T>(query: (database: Database) => Promise<T>): Promise<T> {
    const end = performance.now() + START;
    for (;;) {
      try {
        return await query(this.database);
      } catch (error) {
        if (performance.now() > end || !isAway(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /**
   * Calls the API. Repeats the call if the response says that the database is unavailable, or if the
   * connection fails because the control plane has ended.
   */
  async call(method: string, path: string): Promise<Answer> {
    const end = performance.now() + START;
    for (;;) {
      const answer = await this.api.call(method, path).catch((error) => {
        if (!(error instanceof TypeError) || performance.now() > end) throw error;
        return null;
      });
      if (answer !== null && (answer.status !== 503 || performance.now() > end)) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
    await shell('chmod -R u+rwx "$1"; rm -rf "$1"', this.root);
  }

  async #open(): Promise<void> {
    const { root } = this;
    await Deno.chmod(root, 0o755); // Postgres runs as another user
    this.temporary = `${root}/tmp`;
    await Deno.mkdir(this.temporary);
    await Deno.writeTextFile(this.databaseClockFile, "+0");
    await Deno.chmod(this.databaseClockFile, 0o644);
    this.postgres = this.#parts.use(await MortalPostgres.open(`${root}/postgres`, this.databaseClockFile));
    this.database = openDatabase(this.postgres.url, { max: 4 });
    this.#parts.defer(() => this.database.end({ timeout: 5 }));
    this.places = this.#parts.use(await Places.open(root));
    this.trees = await growTrees(`${root}/sources`);
    const token = `rg_${randomBytes(24).toString("hex")}`;
    const balancer = this.#parts.use(new Balancer(this.#ports));
    this.api = new ApiCaller(balancer.url, token);
    await this.#addPlanes(token);
    await this.run(1);
    for (let index = 0; index < AGENTS; index++) await this.#addAgent(index, balancer);
    await this.standing();
    this.scriptIds = await createScripts(this);
    const entries: [PlaceName, number][] = [];
    for (const label of PLACES) {
      const fields = { label, ...this.places.all[label].fields };
      entries.push([label, await this.api.create("/backup-destinations", fields)]);
    }
    this.destinations = Object.fromEntries(entries) as Record<PlaceName, number>;
  }

  async #addPlanes(bootstrapToken: string): Promise<void> {
    const secretKey = randomBytes(32).toString("base64");
    for (let index = 0; index < PLANES; index++) {
      const clockFile = `${this.root}/clock-${index}`;
      await Deno.writeTextFile(clockFile, "+0");
      const options = {
        dataDirectory: `${this.root}/plane-${index}`,
        databaseUrl: this.postgres.url,
        secretKey,
        bootstrapToken,
        clockFile,
        temporary: this.temporary,
      };
      const supervisor = new Supervisor(`control plane ${index}`, () => {
        plane.port = freePort();
        this.#listPorts();
        return launchPlane({ ...options, port: plane.port });
      });
      const plane: WorldPlane = { supervisor, port: 0, clockFile };
      this.#parts.defer(() => supervisor.stop());
      this.planes.push(plane);
    }
  }

  #listPorts(): void {
    this.#ports.splice(0, Infinity, ...this.planes.slice(0, this.#running).map(({ port }) => port));
  }

  async #addAgent(index: number, balancer: Balancer): Promise<void> {
    const wire = this.#parts.use(
      new Wire(Number(new URL(balancer.url).port), (frame, side) => {
        if (side === "before" && frame.message !== null) this.spoken.hear(frame.message);
        return this.atFrame(frame, side);
      }),
    );
    const address = { label: `server ${index}`, ip_address: `127.0.0.${index + 1}`, runs_at_once: 2 };
    const serverId = await this.api.create("/remote-servers", address);
    const enrolment = await this.api.call("POST", `/remote-servers/${serverId}/enrolment-tokens`);
    const temporary = `${this.root}/agent-${index}-tmp`;
    await Deno.mkdir(temporary);
    const stateDisk = this.#parts.use(await SmallDisk.open(`${this.root}/agent-${index}`, STATE_DISK_BYTES));
    const options = {
      url: wire.url,
      stateDirectory: `${stateDisk.path}/state`,
      token: enrolment.body.data.token,
      temporary,
    };
    const supervisor = new Supervisor(`agent ${index}`, () => {
      const agent = launchAgent(options);
      this.sessions.add(agent.pid);
      return agent;
    });
    this.#parts.defer(() => supervisor.stop());
    supervisor.start();
    this.agents.push({ supervisor, wire, serverId, stateDisk, temporary });
  }
}

/**
 * Returns whether an error means that Postgres is down, starting or stopping. The error's code comes from
 * postgres.js, from the system, or from Postgres.
 */
function isAway(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" &&
    /^(EPIPE|ECONNRESET|ECONNREFUSED|CONNECTION_\w+|57P0\d|08\w{3})$/.test(code);
}
