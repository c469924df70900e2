/**
 * Starts control planes in separate processes, on one database and behind one address. A real agent and a
 * {@link TalkingAgent} connect to them.
 */
import assert from "node:assert/strict";
import { Balancer } from "./balancer.ts";
import { ApiCaller } from "../clients/client.ts";
import { FROM_SOURCE, startAgent } from "./control_plane.ts";
import { HeldTar } from "../fixtures/held_tar.ts";
import { freePort } from "./ports.ts";
import { ServerProcess } from "./server.ts";
import { TalkingAgent } from "../clients/talking_agent.ts";
import { until } from "../assertions/until.ts";

const TOKEN = "rg_replica-tests-only-0123456789";

export interface Replicas {
  /** A client of the API that goes through the balancer. */
  readonly api: ApiCaller;
  /** One client for each control plane. These clients do not go through the balancer. */
  readonly each: readonly ApiCaller[];
  /** A temporary directory with an empty directory `source`. */
  readonly root: string;
  /** Suspends the real agent's tar when a test asks for it. */
  readonly tar: HeldTar;
  readonly talker: TalkingAgent;
  /** Ids of two servers: the real agent's server, and the server of `talker`. */
  readonly serverId: number;
  readonly talkerServerId: number;
  /**
   * Creates a task that backs up the files in `source` on the real agent's server. `fields` override the
   * task's default fields. If `fields` has no schedule, the task runs only on request.
   */
  task(fields?: Record<string, unknown>): Promise<number>;
  kill(which: number): Promise<void>;
  /** Restarts a control plane that was killed, at the same address. */
  restart(which: number): Promise<void>;
  isConnected(serverId: number): Promise<boolean>;
}

export async function stageReplicas(
  stack: AsyncDisposableStack,
  databaseUrl: string,
  count: number,
): Promise<Replicas> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-replicas-" });
  stack.defer(() => Deno.remove(root, { recursive: true }));
  await Deno.mkdir(`${root}/source`);
  const ports = Array.from({ length: count }, freePort);
  const start = (which: number) =>
    new ServerProcess({
      dataDirectory: `${root}/data-${which}`,
      env: {
        DATABASE_URL: databaseUrl,
        SECRET_KEY: "ab".repeat(32),
        LOCAL_AGENT: "0",
        BOOTSTRAP_TOKEN: TOKEN,
        PORT: String(ports[which]),
        LOG_FORMAT: "json",
      },
    });
  const planes = ports.map((_, which) => start(which));
  for (const which of planes.keys()) stack.defer(async () => void await planes[which]!.stop());
  await Promise.all(planes.map((plane) => plane.ready()));
  const balancer = stack.use(new Balancer(ports));
  const api = new ApiCaller(balancer.url, TOKEN);
  const enrol = async (label: string, ip_address: string) => {
    const id = await api.create("/remote-servers", { label, ip_address });
    const { body } = await api.call("POST", `/remote-servers/${id}/enrolment-tokens`);
    return { id, token: body.data.token as string };
  };
  const real = await enrol("real", "192.0.2.1");
  const tar = stack.use(await HeldTar.make());
  const agent = { program: FROM_SOURCE, logLevel: "info", path: tar.path };
  await startAgent(balancer.url, real.token, agent, stack);
  const talking = await enrol("talking", "192.0.2.2");
  const talker = stack.use(await TalkingAgent.start(balancer.url, talking.token));
  const destinationId = await api.create("/backup-destinations", {
    label: "here",
    type: "local",
    local_path: `${root}/backups`,
  });
  const isConnected = async (serverId: number) => {
    // A control plane that was just killed does not respond: the connection breaks.
    const answer = await api.call("GET", `/remote-servers/${serverId}`).catch(() => null);
    return answer?.body.data?.status.connectivity === "connected";
  };
  await until(async () => await isConnected(real.id) && await isConnected(talking.id));
  return {
    api,
    tar,
    each: ports.map((port) => new ApiCaller(`http://127.0.0.1:${port}`, TOKEN)),
    root,
    talker,
    serverId: real.id,
    talkerServerId: talking.id,
    task: (fields = {}) =>
      api.create("/backup-tasks", {
        remote_server_id: real.id,
        backup_destination_id: destinationId,
        label: "x",
        type: "files",
        source_path: `${root}/source`,
        custom_cron_expression: "0 0 29 2 *",
        ...fields,
      }),
    async kill(which) {
      planes[which]!.kill("SIGKILL");
      await planes[which]!.ended();
    },
    async restart(which) {
      planes[which] = start(which);
      await planes[which]!.ready();
    },
    isConnected,
  };
}

/**
 * Returns the log of a task's newest run once the run has ended. The request goes to any control plane that
 * responds.
 */
export async function endOf({ api }: Replicas, taskId: number) {
  // deno-lint-ignore no-explicit-any
  let log: any = null;
  await until(async () => {
    const answer = await api.call("GET", `/backup-tasks/${taskId}/latest-log`).catch(() => null);
    log = answer?.body.data ?? null;
    return log !== null && log.finished_at !== null;
  }, 60_000);
  assert.equal(log.status, "successful", log.output);
  return log;
}
