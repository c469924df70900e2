/** Starts the control planes and agents of the harness: the real programs, in separate processes. */
import { LOOPBACK_ALLOWED } from "../support/servers/loopback.ts";
import { FROM_SOURCE } from "../support/servers/control_plane.ts";
import { ServerProcess } from "../support/servers/server.ts";
import type { Process } from "./supervisor.ts";

const LIBFAKETIME = `/usr/lib/${Deno.build.arch}-linux-gnu/faketime/libfaketimeMT.so.1`;

/**
 * Returns environment variables for a program whose clock follows a file. The file contains an offset in
 * seconds, such as `+90`, and is read every second. The monotonic clock is not affected.
 */
export function clockEnvironment(file: string): Record<string, string> {
  return {
    LD_PRELOAD: LIBFAKETIME,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
}

export interface PlaneOptions {
  readonly port: number;
  readonly dataDirectory: string;
  readonly databaseUrl: string;
  readonly secretKey: string;
  readonly bootstrapToken: string;
  /** The path of the file that sets the clock: see {@link clockEnvironment}. */
  readonly clockFile: string;
  readonly temporary: string;
}

/** Time limits of runs in seconds. They are short, so that each limit can pass during one fault plan. */
const RUN_TIMES = { lease: 3, grace: 4, acceptance: 3, cancel: 3, start: 90 };

/** Time limits in seconds: how long an agent waits for a silent destination, and for an unreachable one. */
const DESTINATION_LIMITS = { DESTINATION_IDLE_SECONDS: "2", DESTINATION_PATIENCE_SECONDS: "12" };

export function launchPlane(options: PlaneOptions): Process {
  const server = new ServerProcess({
    dataDirectory: options.dataDirectory,
    env: {
      PORT: String(options.port),
      DATABASE_URL: options.databaseUrl,
      SECRET_KEY: options.secretKey,
      BOOTSTRAP_TOKEN: options.bootstrapToken,
      LOCAL_AGENT: "0",
      LOG_LEVEL: "warning",
      RATE_LIMIT_PER_MINUTE: "0",
      TMPDIR: options.temporary,
      ...LOOPBACK_ALLOWED,
      RUN_LEASE_SECONDS: String(RUN_TIMES.lease),
      RUN_GRACE_SECONDS: String(RUN_TIMES.grace),
      RUN_ACCEPTANCE_SECONDS: String(RUN_TIMES.acceptance),
      RUN_CANCEL_SECONDS: String(RUN_TIMES.cancel),
      RUN_START_SECONDS: String(RUN_TIMES.start),
      ...clockEnvironment(options.clockFile),
    },
  });
  server.ready().catch(() => {}); // the supervisor restarts a control plane that cannot start
  return {
    ended: server.ended(),
    pid: server.pid,
    get wasReady() {
      return server.stdout.includes("Rearguard is ready at");
    },
    output: () => server.stdout + server.stderr,
  };
}

export interface AgentOptions {
  readonly url: string;
  readonly stateDirectory: string;
  readonly token: string;
  readonly temporary: string;
}

/**
 * Starts an agent in a process session of its own. After the agent has ended, the programs that it started
 * can be found by this session.
 */
export function launchAgent({ stateDirectory, temporary, token, url }: AgentOptions): Process {
  const child = new Deno.Command("setsid", {
    args: [Deno.execPath(), "run", ...FROM_SOURCE, "--url", url, "--state-dir", stateDirectory],
    env: { REARGUARD_TOKEN: token, LOG_LEVEL: "info", TMPDIR: temporary, ...DESTINATION_LIMITS },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  let wasReady = false;
  for (const stream of [child.stdout, child.stderr]) {
    void (async () => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        wasReady ||= text.includes("Connected to ");
        output = (output + text).slice(-100_000);
      }
    })();
  }
  return {
    // The end of the output is not awaited: programs that the agent left behind might keep its pipes open.
    ended: child.status,
    pid: child.pid,
    get wasReady() {
      return wasReady;
    },
    output: () => output,
  };
}

/**
 * Returns the processes in the sessions (setsid) of these leaders, as `pid name`. The leaders themselves are
 * left out.
 */
export function sessionMembers(leaders: ReadonlySet<number>): string[] {
  const members: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name) || leaders.has(Number(name))) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const isZombie = fields[0] === "Z";
      if (!isZombie && leaders.has(Number(fields[3]))) {
        members.push(`${name} ${stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"))}`);
      }
    } catch (error) {
      // Ignore the error if the process ended while /proc was read.
      if (!(error instanceof Deno.errors.NotFound) && !/os error 3\b/.test(String(error))) throw error;
    }
  }
  return members;
}
