/**
 * Runs a control plane in this process, and a real agent in another process. Tests use the control plane only
 * over HTTP.
 */
import { randomUUID } from "node:crypto";
import { Hub } from "../../../src/agents/hub.ts";
import { Dispatcher } from "../../../src/dispatcher/dispatcher.ts";
import { Messenger } from "../../../src/dispatcher/messenger.ts";
import { Reaper } from "../../../src/dispatcher/reaper.ts";
import { Watcher } from "../../../src/dispatcher/watcher.ts";
import { Remover } from "../../../src/dispatcher/remover.ts";
import { ABILITIES } from "../../../src/domain/abilities.ts";
import { systemClock } from "../../../src/domain/clock.ts";
import type { Origin } from "../../../src/domain/audit.ts";
import { createApp } from "../../../src/http/app.ts";
import { Notifier } from "../../../src/notify/notifier.ts";
import type { ServiceContext } from "../../../src/services/context.ts";
import { registerReplica } from "../../../src/services/installation/replicas.ts";
import { issueToken } from "../../../src/services/access/tokens.ts";
import { insertUser } from "../../../src/store/access/users.ts";
import { ApiCaller } from "../clients/client.ts";
import { QUICK_AGENT } from "../clients/quick_agent.ts";
import { onSystemClock, testServices } from "../fixtures/database.ts";
import { until } from "../assertions/until.ts";

/** The arguments of `deno run` for the real agent, with the real work factor for passwords. */
export const FROM_SOURCE = ["--allow-all", new URL("../../../agent/main.ts", import.meta.url).pathname];

export interface ControlPlane extends AsyncDisposable {
  /** A client of the API with every ability. */
  readonly api: ApiCaller;
  /** The remote server whose agent is connected. */
  readonly serverId: number;
  /** Secrets that must not appear anywhere: the agent's key and its enrolment token. */
  readonly secrets: string[];
  readonly services: ServiceContext;
  /** The database's URL (`postgres://…`), for other processes. */
  readonly databaseUrl: string;
  readonly agentPid: number;
  readonly agentStateDirectory: string;
  /** Returns everything that the agent has printed so far. */
  agentOutput(): string;
}

export interface AgentOptions {
  /** The arguments of `deno run` for the agent's program, without the agent's own arguments. */
  program: string[];
  logLevel: string;
  /** The agent's PATH. If absent, the agent gets the PATH of this process. */
  path?: string;
  /** Environment variables of the agent, in addition to those that every agent has. */
  environment?: Record<string, string>;
  /**
   * Converts the control plane's URL to the URL that the agent gets. By default, the agent gets the URL
   * unchanged.
   */
  seen?(url: string): string;
}

export async function startControlPlane(
  agentOptions: AgentOptions = { program: QUICK_AGENT, logLevel: "debug" },
): Promise<ControlPlane> {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await testServices());
  const services = stack.use(onSystemClock(test.services)).services;
  const { url, hub } = await serve(services, stack);
  const user = { name: "Ada", email: "ada@example.test", is_admin: false };
  const { id: userId } = await insertUser(services.database, user, systemClock.now());
  const token = { userId, name: "tests", abilities: ABILITIES, expiresAt: null };
  const api = new ApiCaller(url, (await issueToken(services, token)).plain);
  const serverId = await api.create("/remote-servers", { label: "here", ip_address: "127.0.0.1" });
  const enrolment = await api.call("POST", `/remote-servers/${serverId}/enrolment-tokens`);
  const enrolmentToken: string = enrolment.body.data.token;
  const agent = await startAgent(url, enrolmentToken, agentOptions, stack);
  await until(() => hub.connectedServers().includes(serverId));
  const parts = stack.move();
  return {
    api,
    serverId,
    secrets: [enrolmentToken, (await Deno.readTextFile(`${agent.stateDirectory}/key`)).trim()],
    services,
    databaseUrl: test.url,
    agentPid: agent.pid,
    agentStateDirectory: agent.stateDirectory,
    agentOutput: agent.output,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/**
 * Starts all parts of a control plane except its scheduler. Disposing of `stack` stops the parts.
 *
 * @param around Called with each request and the response to it. Returns the response to send instead.
 */
export async function serve(
  services: ServiceContext,
  stack: AsyncDisposableStack,
  around: (request: Request, response: Response) => Response = (_, response) => response,
): Promise<{ url: string; hub: Hub }> {
  const replicaId = randomUUID();
  await registerReplica(services, replicaId);
  const hub = new Hub(services, { replicaId });
  const connectAgent = (request: Request, origin: Origin) => hub.connect(request, origin);
  const app = createApp({ services, rateLimitPerMinute: 0, connectAgent });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request, { remoteAddr }) =>
      around(request, await app.fetch(request, { remoteAddress: remoteAddr.hostname })),
  );
  stack.defer(() => server.shutdown());
  stack.defer(() => hub.close());
  for (
    const loop of [
      new Dispatcher(services, hub),
      new Reaper(services, replicaId),
      new Remover(services),
      new Watcher(services),
      // Without an interval between messages, each event is a message of its own.
      new Messenger(services, new Notifier({ ...services, smtp: null, messageInterval: 0 })),
    ]
  ) {
    loop.start();
    stack.defer(() => loop.stop());
  }
  return { url: `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`, hub };
}

export interface StartedAgent {
  pid: number;
  stateDirectory: string;
  output(): string;
}

/**
 * Starts an agent.
 *
 * @param earlier An agent that was killed. The new agent continues with the killed agent's state.
 */
export async function startAgent(
  url: string,
  token: string,
  { program, logLevel, path, environment = {}, seen = (url) => url }: AgentOptions,
  stack: AsyncDisposableStack,
  earlier: { stateDirectory: string } | null = null,
): Promise<StartedAgent> {
  const stateDirectory = earlier?.stateDirectory ?? await makeStateDirectory(stack);
  const agent = new Deno.Command(Deno.execPath(), {
    args: ["run", ...program, "--url", seen(url), "--state-dir", stateDirectory],
    env: {
      REARGUARD_TOKEN: token,
      LOG_LEVEL: logLevel,
      ...path === undefined ? {} : { PATH: path },
      ...environment,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const reading = [agent.stdout, agent.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) output += text;
  });
  stack.defer(async () => {
    try {
      agent.kill("SIGTERM");
    } catch (error) {
      // The test has already killed the agent.
      if (!(error instanceof TypeError)) throw error;
    }
    await agent.status;
    await Promise.all(reading);
  });
  return { pid: agent.pid, stateDirectory, output: () => output };
}

async function makeStateDirectory(stack: AsyncDisposableStack): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-agent-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  return directory;
}
