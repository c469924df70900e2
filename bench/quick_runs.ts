/**
 * Measures the memory of an agent and its control plane over many short runs. Many runs make a leak visible.
 */
import { join } from "node:path";
import { until } from "../tests/support/assertions/until.ts";
import { ApiCaller } from "../tests/support/clients/client.ts";
import { startAgent } from "../tests/support/servers/control_plane.ts";
import { ServerProcess } from "../tests/support/servers/server.ts";
import { installedAgent } from "./control_plane.ts";
import { print, type Result } from "./result.ts";

const RUNS = Number(Deno.env.get("BENCH_RUNS") ?? 500);
const FILES = 20;
/** The number of runs between two lines of output. */
const STEP = 50;
const MB = 1024 * 1024;

export async function benchQuickRuns(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  // The embedded Postgres runs as a user of its own. This user must be able to enter the directory.
  await Deno.chmod(directory, 0o755);
  const source = join(directory, "tree");
  await Deno.mkdir(source);
  for (let file = 0; file < FILES; file++) await Deno.writeTextFile(join(source, `${file}`), `${file}\n`);
  const plane = await startProcesses(stack, directory);
  const taskId = await planTask(plane, source, join(directory, "backups"));
  const agent = new Peak(plane.agentPid);
  const server = new Peak(plane.serverPid);
  const timer = setInterval(() => [agent, server].forEach((peak) => peak.sample()), 20);
  stack.defer(() => clearInterval(timer));
  let early = 0;
  for (let run = 1; run <= RUNS; run++) {
    const log = await plane.api.run(taskId);
    if (log.status !== "successful") throw new Error(`The run is ${log.status}: ${log.output}`);
    if (run === STEP) early = agent.most;
    if (run % STEP === 0 || run === 1) print(`  after ${run} runs: agent ${agent}, control plane ${server}`);
  }
  return [
    result(`Agent's RSS at its most, ${RUNS} quick runs`, agent.most, 120),
    result(`Growth of it since run ${STEP}`, agent.most - early, 20),
    result(`Control plane's RSS at its most, ${RUNS} quick runs`, server.most, 256),
  ];
}

interface Processes {
  readonly api: ApiCaller;
  readonly serverId: number;
  readonly agentPid: number;
  readonly serverPid: number;
}

/** Starts a control plane as `deno task start` does, and an agent, each in a process of its own. */
async function startProcesses(stack: AsyncDisposableStack, directory: string): Promise<Processes> {
  const env = { LOCAL_AGENT: "0", LOG_LEVEL: "warning", RATE_LIMIT_PER_MINUTE: "0" };
  const server = stack.use(new ServerProcess({ dataDirectory: join(directory, "data"), env }));
  const url = await server.ready();
  const api = new ApiCaller(url, server.token!);
  const serverId = await api.create("/remote-servers", { label: "here", ip_address: "127.0.0.1" });
  const { body } = await api.call("POST", `/remote-servers/${serverId}/enrolment-tokens`);
  const options = { program: await installedAgent(stack), logLevel: "warning" };
  const agent = await startAgent(url, body.data.token, options, stack);
  await until(async () =>
    (await api.call("GET", `/remote-servers/${serverId}`)).body.data.status.connectivity === "connected"
  );
  return { api, serverId, agentPid: agent.pid, serverPid: server.pid };
}

function planTask({ api, serverId }: Processes, source: string, backups: string): Promise<number> {
  const destination = { label: "a directory", type: "local", local_path: backups };
  return api.create("/backup-destinations", destination).then((id) =>
    api.create("/backup-tasks", {
      remote_server_id: serverId,
      backup_destination_id: id,
      label: "a tree",
      type: "files",
      source_path: source,
      maximum_backups_to_keep: 5,
      frequency: "daily",
      time_to_run_at: "01:00",
    })
  );
}

/** A process's current and highest resident memory, in MB. */
class Peak {
  now = 0;
  most = 0;

  constructor(private readonly pid: number) {}

  sample(): void {
    const status = Deno.readTextFileSync(`/proc/${this.pid}/status`);
    this.now = Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024 / MB);
    this.most = Math.max(this.most, this.now);
  }

  toString(): string {
    return `${this.now} MB (at most ${this.most})`;
  }
}

function result(name: string, megabytes: number, bar: number): Result {
  return {
    name,
    ours: `${megabytes} MB`,
    peer: "—",
    ratio: `${(megabytes / bar).toFixed(2)} of the bar`,
    bar: `at most ${bar} MB`,
    holds: megabytes <= bar,
  };
}
