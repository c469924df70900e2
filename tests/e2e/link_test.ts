/** Tests a real agent's link with a real hub. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Journal } from "../../agent/journal.ts";
import { Link, type LinkHandlers } from "../../agent/link.ts";
import { Dispatcher } from "../../src/dispatcher/dispatcher.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { Hub } from "../../src/agents/hub.ts";
import type { ServiceContext } from "../../src/services/context.ts";
import { createEnrolmentToken, enrolAgent, revokeAgent } from "../../src/services/servers/enrolment.ts";
import {
  heartbeatReplica,
  registerReplica,
  unregisterReplica,
} from "../../src/services/installation/replicas.ts";
import { showRemoteServer } from "../../src/services/servers/remote_servers.ts";
import { cancelRun, startRun } from "../../src/services/runs/runs.ts";
import { testServices } from "../support/fixtures/database.ts";
import { output, success } from "../support/clients/events.ts";
import { AGENT, plant, type Planted } from "../support/fixtures/planted.ts";
import { PROTOCOL_MIN, PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import { until } from "../support/assertions/until.ts";

interface Plane {
  port: number;
  hub: Hub;
  stop(): Promise<void>;
}

/** Starts a control plane's socket server. To replace an earlier server, pass its port. */
async function startPlane(services: ServiceContext, port = 0, heartbeatMs = 20_000): Promise<Plane> {
  const replicaId = randomUUID();
  await registerReplica(services, replicaId);
  const hub = new Hub(services, { replicaId, heartbeatMs });
  const dispatcher = new Dispatcher(services, hub);
  dispatcher.start();
  const server = Deno.serve(
    { port, hostname: "127.0.0.1", onListen() {} },
    (request) => hub.connect(request),
  );
  return {
    port: (server.addr as Deno.NetAddr).port,
    hub,
    async stop() {
      await dispatcher.stop();
      await hub.close();
      await server.shutdown();
    },
  };
}

interface Agent {
  journal: Journal;
  link: Link;
  stop(): Promise<void>;
}

async function startAgent(port: number, key: string, handlers: Partial<LinkHandlers> = {}): Promise<Agent> {
  const directory = await Deno.makeTempDir();
  const journal = await Journal.open(directory, systemClock);
  const link = new Link({
    url: `http://127.0.0.1:${port}`,
    key,
    clock: systemClock,
    journal,
    describe: () => AGENT,
    handlers: { start() {}, cancel() {}, forget() {}, request() {}, ...handlers },
  });
  const over = new AbortController();
  const running = link.run(over.signal);
  return {
    journal,
    link,
    async stop() {
      over.abort();
      await running;
      journal.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

async function enrolled(services: ServiceContext): Promise<Planted & { key: string }> {
  const planted = await plant(services);
  const { token } = await createEnrolmentToken(services, planted.caller, planted.serverId, 60);
  const { agentKey } = await enrolAgent(services, token, AGENT);
  return { ...planted, key: agentKey };
}

async function stateOf(services: ServiceContext): Promise<string> {
  const [run] = await services.database`select state from runs order by id desc limit 1`;
  return run?.state;
}

async function linesOf(services: ServiceContext): Promise<string> {
  const [row] = await services
    .database`select string_agg(text, '' order by run_id, sequence) as text from run_output`;
  return row!.text ?? "";
}

Deno.test("a run goes over the wire: offered, accepted, followed, finished, forgotten", async () => {
  await using test = await testServices();
  const services = { ...test.services, clock: systemClock };
  const { caller, taskId, key } = await enrolled(services);
  const plane = await startPlane(services);
  const offered = Promise.withResolvers<{ run_id: number; attempt: number }>();
  const agent = await startAgent(plane.port, key, { start: offered.resolve });
  await startRun(services, caller, taskId);
  const { run_id, attempt } = await offered.promise;
  const run = agent.journal.create(run_id, attempt, "backup");
  run.append({ kind: "accepted" });
  run.append(output("hello\n"));
  agent.link.pump();
  await until(async () => await stateOf(services) === "running");
  await run.finish(success() as never);
  agent.link.pump();
  await agent.link.drained(AbortSignal.timeout(10_000));
  assert.equal(await stateOf(services), "succeeded");
  assert.equal(await linesOf(services), "hello\n");
  assert.deepEqual(agent.journal.all(), []);
  await agent.stop();
  await plane.stop();
});

Deno.test("a control plane that goes and comes back misses no line and doubles none", async () => {
  await using test = await testServices();
  const services = { ...test.services, clock: systemClock };
  const { caller, taskId, key } = await enrolled(services);
  let plane = await startPlane(services);
  const offered = Promise.withResolvers<{ run_id: number; attempt: number }>();
  const agent = await startAgent(plane.port, key, { start: offered.resolve });
  await startRun(services, caller, taskId);
  const { run_id, attempt } = await offered.promise;
  const run = agent.journal.create(run_id, attempt, "backup");
  run.append({ kind: "accepted" });
  const lines = Array.from({ length: 1500 }, (_, i) => `line ${i}\n`);
  for (const [i, line] of lines.entries()) {
    run.append(output(line));
    agent.link.pump();
    if (i % 300 !== 299) continue;
    await until(async () => (await linesOf(services)).length > 0);
    const { port } = plane;
    await plane.stop();
    plane = await startPlane(services, port);
  }
  await run.finish(success() as never);
  agent.link.pump();
  await agent.link.drained(AbortSignal.timeout(20_000));
  assert.equal(await stateOf(services), "succeeded");
  assert.equal(await linesOf(services), lines.join(""));
  await agent.stop();
  await plane.stop();
});

Deno.test("a cancel reaches the agent and its answer ends the run", async () => {
  await using test = await testServices();
  const services = { ...test.services, clock: systemClock };
  const { caller, taskId, key } = await enrolled(services);
  const plane = await startPlane(services);
  const offered = Promise.withResolvers<{ run_id: number; attempt: number }>();
  const cancelled = Promise.withResolvers<string>();
  const agent = await startAgent(plane.port, key, {
    start: offered.resolve,
    cancel: (_run, _attempt, reason) => cancelled.resolve(reason),
  });
  await startRun(services, caller, taskId);
  const { run_id, attempt } = await offered.promise;
  const run = agent.journal.create(run_id, attempt, "backup");
  run.append({ kind: "accepted" });
  agent.link.pump();
  await until(async () => await stateOf(services) === "running");
  await cancelRun(services, caller, taskId);
  assert.equal(await cancelled.promise, "Cancelled by request.");
  await run.finish({
    kind: "finished",
    verdict: { outcome: "cancelled", warnings_count: 0, reason: "Cancelled by request.", leftovers: [] },
  });
  agent.link.pump();
  await agent.link.drained(AbortSignal.timeout(10_000));
  assert.equal(await stateOf(services), "cancelled");
  await agent.stop();
  await plane.stop();
});

Deno.test("a revoked key ends the live socket, and no key opens none", async () => {
  await using test = await testServices();
  const services = { ...test.services, clock: systemClock };
  const { caller, serverId, key } = await enrolled(services);
  const plane = await startPlane(services);
  const agent = await startAgent(plane.port, key);
  await until(() => plane.hub.connectedServers().length === 1);
  await revokeAgent(services, caller, serverId);
  await until(() => plane.hub.connectedServers().length === 0);
  for (const headers of [{ authorization: `Bearer ${key}` }, {}] as HeadersInit[]) {
    const response = await fetch(`http://127.0.0.1:${plane.port}/api/agent/connect`, { headers });
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("www-authenticate"), "Bearer");
    assert.deepEqual(await response.json(), { message: "Unauthenticated." });
  }
  await agent.stop();
  await plane.stop();
});

Deno.test("versions that don't meet are refused by name", async () => {
  await using test = await testServices();
  const services = { ...test.services, clock: systemClock };
  const { key } = await enrolled(services);
  const plane = await startPlane(services);
  const socket = new WebSocket(`ws://127.0.0.1:${plane.port}/api/agent/connect`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const answer = Promise.withResolvers<string>();
  const closed = Promise.withResolvers<number>();
  socket.onmessage = ({ data }) => answer.resolve(data);
  socket.onclose = ({ code }) => closed.resolve(code);
  socket.onopen = () =>
    socket.send(JSON.stringify({ type: "hello", protocol: { min: 90, max: 99 }, agent: AGENT, runs: [] }));
  const refused = JSON.parse(await answer.promise);
  assert.equal(refused.type, "refused");
  assert.equal(refused.code, "protocol");
  const own = `the control plane ${PROTOCOL_MIN} to ${PROTOCOL_VERSION}`;
  assert.equal(refused.message, `The agent speaks protocol 90 to 99, ${own}. Update the older of the two.`);
  assert.equal(await closed.promise, 4403);
  await plane.stop();
});

Deno.test("a frame that breaks the protocol closes that socket and nothing else", async () => {
  await using test = await testServices();
  const services = { ...test.services, clock: systemClock };
  const { key } = await enrolled(services);
  const other = await enrolled(services);
  const plane = await startPlane(services);
  const agent = await startAgent(plane.port, other.key);
  await until(() => plane.hub.connectedServers().length === 1);
  for (const frame of ["{", '{"type":"hello"}', '{"type":"pong"}', "x".repeat(2_000_000)]) {
    const socket = new WebSocket(`ws://127.0.0.1:${plane.port}/api/agent/connect`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const closed = Promise.withResolvers<number>();
    socket.onclose = ({ code }) => closed.resolve(code);
    socket.onopen = () => socket.send(frame);
    assert.equal(await closed.promise, 4400);
  }
  assert.deepEqual(plane.hub.connectedServers(), [other.serverId]);
  await agent.stop();
  await plane.stop();
});

Deno.test("an agent that falls silent is closed after three heartbeats, a living one is not", async () => {
  await using test = await testServices();
  const services = { ...test.services, clock: systemClock };
  const { key } = await enrolled(services);
  const other = await enrolled(services);
  const plane = await startPlane(services, 0, 1000);
  const agent = await startAgent(plane.port, other.key);
  const socket = new WebSocket(`ws://127.0.0.1:${plane.port}/api/agent/connect`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const closed = Promise.withResolvers<number>();
  socket.onclose = ({ code }) => closed.resolve(code);
  assert.equal(await closed.promise, 4408);
  assert.deepEqual(plane.hub.connectedServers(), [other.serverId]);
  await agent.stop();
  await plane.stop();
});

Deno.test("agents of a replica that was taken for dead count as connected again while their sockets are up", async () => {
  await using test = await testServices();
  const services = { ...test.services, clock: systemClock };
  const { caller, serverId, key } = await enrolled(services);
  const plane = await startPlane(services, 0, 100);
  const agent = await startAgent(plane.port, key);
  const connectivity = async () => (await showRemoteServer(services, caller, serverId)).connectivity;
  await until(async () => await connectivity() === "connected");
  const [replica] = await services.database<{ id: string }[]>`select id from replicas`;
  await unregisterReplica(services, replica!.id);
  assert.equal(await connectivity(), "disconnected");
  await heartbeatReplica(services, replica!.id);
  await until(async () => await connectivity() === "connected");
  await agent.stop();
  await until(async () => await connectivity() === "disconnected");
  await plane.stop();
});

Deno.test("what waits for an agent is offered as soon as it connects", async () => {
  // The test clock does not advance, so the control plane does not poll.
  await using test = await testServices();
  const { services } = test;
  const { caller, taskId, key } = await enrolled(services);
  await startRun(services, caller, taskId);
  const plane = await startPlane(services);
  let offers = 0;
  const agent = await startAgent(plane.port, key, { start: () => void offers++ });
  await until(() => offers === 1);
  await agent.stop();
  await plane.stop();
});

Deno.test("a control plane that stops leaves no agent that counts as connected", async () => {
  await using test = await testServices();
  const services = { ...test.services, clock: systemClock };
  const keys = [(await enrolled(services)).key, (await enrolled(services)).key];
  const plane = await startPlane(services);
  const agents = await Promise.all(keys.map((key) => startAgent(plane.port, key)));
  const connected = async () =>
    (await services.database`select id from remote_servers where connection_id is not null`).length;
  await until(async () => await connected() === 2);
  await plane.stop();
  assert.equal(await connected(), 0);
  for (const agent of agents) await agent.stop();
});
