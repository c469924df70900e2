/** Starts a control plane in this process and an installed agent in another one. Creates one task. */
import { AgentFiles } from "../src/process/agent_files.ts";
import { type ControlPlane, startControlPlane } from "../tests/support/servers/control_plane.ts";

/**
 * The backup task to create. `source` and `backups` are directories; `keep` is the number of backups to keep.
 */
export interface Plan {
  source: string;
  backups: string;
  keep: number;
  /**
   * The destination, in the format of requests to the API. By default, this is the local directory `backups`.
   */
  destination?: Record<string, unknown>;
  /** Additional fields of the task. They override the fields that `startPlanned` sets. */
  fields?: object;
}

export interface PlannedControlPlane extends AsyncDisposable {
  readonly plane: ControlPlane;
  /** Runs the task and waits for its end. Rejects if the run does not succeed. */
  run(): Promise<void>;
  /** Restores the newest backup, or only `paths` of it. Returns the number of stored bytes that were read. */
  restore(target: string, paths?: string[]): Promise<number>;
  /** Finds files by name in all backups. Returns the API's answer. */
  // deno-lint-ignore no-explicit-any
  find(pattern: string): Promise<any>;
  /** Verifies the newest backup, and waits for the end. */
  verify(): Promise<void>;
}

/** Prepares an agent as it is installed on a server. Returns the arguments of `deno run` that start it. */
export async function installedAgent(stack: AsyncDisposableStack): Promise<string[]> {
  const directory = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const files = await new AgentFiles(directory).all();
  const unit = await Deno.readTextFile(files.get("rearguard-agent.service")!.path);
  const agent = files.get("agent.js")!.path;
  const [, before] = /^ExecStartPre=-\S+\/deno (.+) \S+\/agent\.js$/m.exec(unit)!;
  await new Deno.Command(Deno.execPath(), { args: [...before!.split(" "), agent] }).output();
  const flags = /--v8-flags=\S+/.exec(unit)![0];
  return ["--allow-all", "--no-config", flags, agent];
}

export async function startPlanned(
  { source, backups, keep, destination, fields }: Plan,
): Promise<PlannedControlPlane> {
  await using stack = new AsyncDisposableStack();
  const program = await installedAgent(stack);
  const plane = stack.use(await startControlPlane({ program, logLevel: "warning" }));
  const { api, serverId } = plane;
  const destinationId = await api.create("/backup-destinations", {
    ...destination ?? { label: "a directory", type: "local", local_path: backups },
  });
  const taskId = await api.create("/backup-tasks", {
    remote_server_id: serverId,
    backup_destination_id: destinationId,
    label: "a tree",
    type: "files",
    source_path: source,
    maximum_backups_to_keep: keep,
    frequency: "daily",
    time_to_run_at: "01:00",
    ...fields,
  });
  const newest = async () => {
    const { body } = await api.call("GET", `/backup-tasks/${taskId}/backups?per_page=100`);
    return `/backups/${body.data.at(-1).id}`;
  };
  const parts = stack.move();
  return {
    plane,
    async run() {
      const log = await api.run(taskId);
      if (log.status !== "successful") throw new Error(`The run is ${log.status}: ${log.output}`);
    },
    async restore(target, paths = []) {
      const log = await api.carryOut(`${await newest()}/restore`, { target_path: target, paths });
      if (log.status !== "successful") throw new Error(`The restore is ${log.status}: ${log.output}`);
      return log.progress.bytes_read;
    },
    async find(pattern) {
      const query = new URLSearchParams({ search: pattern });
      const { status, body } = await api.call("GET", `/backup-tasks/${taskId}/files?${query}`);
      if (status !== 200) throw new Error(`The search failed: ${JSON.stringify(body)}`);
      return body;
    },
    async verify() {
      const log = await api.carryOut(`${await newest()}/verify`);
      if (log.status !== "successful") throw new Error(`The verification is ${log.status}: ${log.output}`);
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
