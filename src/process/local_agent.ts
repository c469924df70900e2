/**
 * Runs the agent on the control plane's own machine. The agent is a detached process. It is adopted after a
 * crash of the control plane, and started again when it ends.
 */
import { join } from "node:path";
import type { Clock } from "../domain/clock.ts";
import { logger } from "../telemetry/logging.ts";
import { agentCommand, agentEnvironment } from "./agent_program.ts";

export interface LocalAgentOptions {
  /** Absolute path of the agent's state directory (`--state-dir`). */
  readonly stateDirectory: string;
  /** URL of the control plane. */
  readonly url: string;
  readonly clock: Clock;
  /**
   * Returns the token with which the agent must enrol; null if `key` is valid. `key` is the agent's present
   * key.
   */
  enrol(key: string | null): Promise<string | null>;
}

/**
 * Wait between the end of an agent and its next start, in milliseconds. The wait begins at `RESTART_FIRST`,
 * and doubles up to `RESTART_LAST`.
 */
const RESTART_FIRST = 500;
const RESTART_LAST = 30_000;
/**
 * How long an agent must run to count as successfully started, in milliseconds. If such an agent ends, the
 * wait before the next start is `RESTART_FIRST` again.
 */
const SETTLED = 60_000;
/** Interval between two checks of an adopted agent's lock, in milliseconds. */
const WATCH = 500;
/** Time between the request to stop an agent and its kill, in milliseconds. */
const STOP = 20_000;
/** Maximum size of the agent's log in bytes. A larger log is renamed when the agent is started. */
const LOG_LIMIT = 10 * 1024 * 1024;
const LOG = "agent.log";
const URL_FILE = "agent.url";

interface Running {
  /** Id of the process, and also of its process group. */
  readonly pid: number;
  readonly ended: Promise<void>;
}

class LocalAgent implements AsyncDisposable {
  readonly #options: LocalAgentOptions;
  readonly #stopped = new AbortController();
  readonly #log = logger("local agent");
  #agent: Running | null = null;
  #running = Promise.resolve();

  constructor(options: LocalAgentOptions) {
    this.#options = options;
  }

  /**
   * Adopts the agent that runs with this state directory, or starts one. From then on, keeps an agent
   * running. Rejects if the first agent cannot be started.
   */
  async start(): Promise<void> {
    await Deno.mkdir(this.#options.stateDirectory, { recursive: true, mode: 0o711 });
    const key = await this.#read("key");
    const token = await this.#options.enrol(key);
    this.#agent = await this.#adopt(token === null);
    if (this.#agent === null) {
      if (key !== null && token !== null) await Deno.remove(this.#path("key")); // the key is no longer valid
      this.#agent = await this.#spawn(token);
    }
    this.#running = this.#supervise();
  }

  /**
   * Stops the agent. While it stops, the agent reports the runs that it ends, so the control plane must be
   * stopped after the agent.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    if (this.#agent !== null) await this.#end(this.#agent);
    await this.#running;
  }

  async #supervise(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopped;
    for (let wait = RESTART_FIRST;; wait = Math.min(wait * 2, RESTART_LAST)) {
      const since = clock.monotonic();
      await this.#agent?.ended;
      if (signal.aborted) return;
      if (clock.monotonic() - since > SETTLED) wait = RESTART_FIRST;
      this.#log.warn("The local agent has ended; it is started again. Its log: {log}", {
        log: this.#path(LOG),
      });
      await clock.sleep(wait, signal).catch(() => {});
      if (signal.aborted) return;
      this.#agent = await this.#restart();
    }
  }

  /**
   * Starts the agent again; returns null if this fails. Does not replace a revoked key. If the key is
   * revoked, the agent is enrolled again only at the next start of the control plane.
   */
  async #restart(): Promise<Running | null> {
    try {
      return await this.#spawn(await this.#read("key") === null ? await this.#options.enrol(null) : null);
    } catch (error) {
      this.#log.error("The local agent can't be started; it is tried again", { error });
      return null;
    }
  }

  /**
   * Returns the agent that runs with this state directory; null if there is none. Stops the agent and returns
   * null in two cases: the agent's key is not valid, or the agent uses a URL other than the one in the
   * options.
   */
  async #adopt(isKnown: boolean): Promise<Running | null> {
    if (!await this.#isLocked()) return null;
    const agent = { pid: Number(await this.#read("agent.pid")), ended: this.#unlocked() };
    if (!isKnown || await this.#read(URL_FILE) !== this.#options.url) {
      await this.#end(agent);
      return null;
    }
    this.#log.info("The local agent still runs (process {pid})", { pid: agent.pid });
    return agent;
  }

  async #spawn(token: string | null): Promise<Running> {
    const { stateDirectory, url } = this.#options;
    await this.#prepareLog();
    await Deno.writeTextFile(this.#path(URL_FILE), url);
    const command = [...agentCommand(), "--url", url, "--state-dir", stateDirectory];
    // The shell redirects its output to the log. Then `exec` replaces the shell with the agent. The agent
    // gets its own session, so signals of the terminal do not reach it.
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", 'log=$0; exec "$@" >>"$log" 2>&1', this.#path(LOG), ...command],
      cwd: "/",
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
      clearEnv: true,
      env: {
        ...agentEnvironment(Deno.env.toObject()),
        ...(token === null ? {} : { REARGUARD_TOKEN: token }),
      },
    }).spawn();
    child.unref();
    this.#log.info("The local agent is started (process {pid})", { pid: child.pid });
    return { pid: child.pid, ended: child.status.then(() => {}) };
  }

  /** Asks the agent to stop. If it does not stop in time, kills it and its children. */
  async #end({ pid, ended }: Running): Promise<void> {
    send(pid, "SIGTERM");
    const patience = new AbortController();
    const tooLong = this.#options.clock.sleep(STOP, patience.signal).then(() => {
      this.#log.warn("The local agent does not stop; it is killed");
      send(-pid, "SIGKILL");
      return ended;
    });
    await Promise.race([ended, tooLong]);
    tooLong.catch(() => {}); // the sleep rejects when it is aborted
    patience.abort();
  }

  /** Resolves once no agent holds the state directory. */
  async #unlocked(): Promise<void> {
    while (await this.#isLocked()) await this.#options.clock.sleep(WATCH);
  }

  /**
   * Returns whether an agent holds the lock of the state directory. The lock is more reliable than the pid
   * file.
   */
  async #isLocked(): Promise<boolean> {
    using file = await Deno.open(this.#path("agent.lock"), { create: true, write: true, mode: 0o600 });
    return !await file.tryLock(true);
  }

  async #prepareLog(): Promise<void> {
    const path = this.#path(LOG);
    const file = await Deno.open(path, { create: true, append: true, mode: 0o600 });
    const { size } = await file.stat();
    file.close();
    if (size < LOG_LIMIT) return;
    await Deno.rename(path, `${path}.1`);
    await this.#prepareLog();
  }

  async #read(name: string): Promise<string | null> {
    try {
      return (await Deno.readTextFile(this.#path(name))).trim() || null;
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return null;
      throw cause;
    }
  }

  #path(name: string): string {
    return join(this.#options.stateDirectory, name);
  }
}

/** The connections of agents to this control plane. `src/agents` implements this interface. */
export interface ConnectedAgents {
  connectedServers(): number[];
  onConnected(handler: () => void): void;
}

/**
 * Returns the id of the agent's server. If `key` is valid, `token` is null. If not, `token` is the token with
 * which the agent must enrol.
 */
type EnrolLocalAgent = (key: string | null) => Promise<{ serverId: number; token: string | null }>;

/** Starts the local agent, and adds it to `parts`. `connected` resolves once the agent is connected. */
export async function startLocalAgent(
  parts: AsyncDisposableStack,
  options: Omit<LocalAgentOptions, "enrol"> & { link: ConnectedAgents; enrol: EnrolLocalAgent },
): Promise<{ connected: Promise<void> }> {
  let serverId = 0;
  const agent = new LocalAgent({
    ...options,
    async enrol(key) {
      const enrolled = await options.enrol(key);
      serverId = enrolled.serverId;
      return enrolled.token;
    },
  });
  await agent.start();
  parts.use(agent);
  return { connected: untilConnected(options.link, serverId) };
}

function untilConnected(link: ConnectedAgents, serverId: number): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (link.connectedServers().includes(serverId)) resolve();
    };
    link.onConnected(look);
    look();
  });
}

/** Sends a signal; does nothing if the process has ended. */
function send(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}
