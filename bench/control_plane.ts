/** A control plane in this process with a real agent beside it, for benchmarks that need both. */
import { randomUUID } from "node:crypto";
import { Hub } from "../src/agents/hub.ts";
import { Dispatcher } from "../src/dispatcher/dispatcher.ts";
import { ABILITIES } from "../src/domain/abilities.ts";
import { systemClock } from "../src/domain/clock.ts";
import { createApp } from "../src/http/app.ts";
import { AgentFiles } from "../src/process/agent_files.ts";
import type { Services } from "../src/services/context.ts";
import { createEnrolmentToken } from "../src/services/enrolment.ts";
import { registerReplica } from "../src/services/replicas.ts";
import { issueToken } from "../src/services/tokens.ts";
import { testServices } from "../tests/support/database.ts";
import { plant, type Planted } from "../tests/support/planted.ts";
import { until } from "../tests/support/until.ts";

export interface ControlPlane extends AsyncDisposable {
  services: Services;
  planted: Planted;
  agentPid: number;
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** Runs the task and waits for its end. Returns the run's row. */
  run(taskId: number): Promise<Record<string, unknown>>;
}

/** @param task Columns of the first task. @param destination Columns of its destination. */
export async function startControlPlane(
  task: Record<string, unknown>,
  destination: Record<string, unknown>,
): Promise<ControlPlane> {
  const test = await testServices();
  const services = { ...test.services, clock: systemClock };
  const planted = await plant(services, task, destination);
  const replicaId = randomUUID();
  await registerReplica(services, replicaId);
  const hub = new Hub(services, { replicaId });
  const dispatcher = new Dispatcher(services, hub);
  dispatcher.start();
  const app = createApp({ services, rateLimitPerMinute: 0, connectAgent: (request) => hub.connect(request) });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => app.fetch(request),
  );
  const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
  const { userId } = planted.caller;
  const issued = await issueToken(services, {
    userId,
    name: "b",
    abilities: [...ABILITIES],
    expiresAt: null,
  });
  const { token } = await createEnrolmentToken(services, planted.caller, planted.serverId, 600);
  const stateDir = await Deno.makeTempDir();
  // As it is installed on a server: one file, with the flags of its unit.
  const files = await new AgentFiles(stateDir).all();
  const unit = await Deno.readTextFile(files.get("rearguard-agent.service")!.path);
  const flags = /--v8-flags=\S+/.exec(unit)![0];
  const agent = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-config",
      flags,
      files.get("agent.js")!.path,
      "--url",
      url,
      "--state-dir",
      stateDir,
    ],
    env: { REARGUARD_TOKEN: token, LOG_LEVEL: "warning" },
  }).spawn();
  await until(() => hub.connectedServers().length === 1);
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${issued.plain}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  return {
    services,
    planted,
    agentPid: agent.pid,
    call,
    async run(taskId) {
      const started = await call("POST", `/backup-tasks/${taskId}/run`);
      if (started.status !== 202) throw new Error(`Cannot run the task: ${JSON.stringify(started.body)}`);
      const id = (started.body as { backup_task_log_id: number }).backup_task_log_id;
      let row: Record<string, unknown> | undefined;
      await until(async () => {
        [row] = await services.database`select * from runs where id = ${id} and finished_at is not null`;
        return row !== undefined;
      }, 600_000);
      if (row!.state !== "succeeded") throw new Error(`The run ended as ${row!.state}: ${row!.reason}`);
      return row!;
    },
    async [Symbol.asyncDispose]() {
      agent.kill("SIGTERM");
      await agent.status;
      await dispatcher.stop();
      await hub.close();
      await server.shutdown();
      await test[Symbol.asyncDispose]();
      await Deno.remove(stateDir, { recursive: true });
    },
  };
}
