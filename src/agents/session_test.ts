import assert from "node:assert/strict";
import { testServices } from "../../tests/support/fixtures/database.ts";
import { serve } from "../../tests/support/servers/control_plane.ts";
import { AGENT, plant } from "../../tests/support/fixtures/planted.ts";
import { until } from "../../tests/support/assertions/until.ts";
import { HELLO, RawAgent } from "../../tests/support/clients/raw_agent.ts";
import { PROTOCOL_MIN, PROTOCOL_VERSION } from "../protocol/version.ts";
import { requestAgent } from "../services/agent_rpc/agent_requests.ts";
import { createEnrolmentToken, enrolAgent } from "../services/servers/enrolment.ts";

Deno.test("an invalid frame closes its own socket only, whatever names it contains", async () => {
  await using stack = new AsyncDisposableStack();
  const { services } = stack.use(await testServices());
  const { url } = await serve(services, stack);
  const { caller, serverId } = await plant(services);
  const { token } = await createEnrolmentToken(services, caller, serverId, 60);
  const { agentKey } = await enrolAgent(services, token, AGENT);
  for (const name of ["☂".repeat(1000), "a\nb", "\ud800"]) {
    const hello = {
      type: "hello",
      protocol: { min: 1, max: 2 },
      agent: { ...AGENT, tools: { [name]: 1 } },
      runs: [],
    };
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/agent/connect`, {
      headers: { authorization: `Bearer ${agentKey}` },
    });
    const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
    socket.onopen = () => socket.send(JSON.stringify(hello));
    const { code, reason } = await closed;
    assert.equal(code, 4400);
    assert.match(reason, /^Cannot read a hello message: agent\.tools/);
    assert.equal((await (await fetch(`${url}/healthz`)).json()).status, "ok");
  }
});

Deno.test("a response that arrives while the database is unavailable is stored when it is back", async () => {
  await using stack = new AsyncDisposableStack();
  const { clock, services: real } = stack.use(await testServices());
  let refused = 0;
  let isAway = false;
  const database = new Proxy(real.database, {
    get: (target, name) => {
      if (name !== "begin" || !isAway) return Reflect.get(target, name);
      refused++;
      return () => Promise.reject(Object.assign(new Error("gone"), { code: "CONNECTION_CLOSED" }));
    },
  });
  const services = { ...real, database };
  const { url } = await serve(services, stack);
  const { caller, serverId } = await plant(services);
  const { token } = await createEnrolmentToken(services, caller, serverId, 60);
  const { agentKey } = await enrolAgent(services, token, AGENT);
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/agent/connect`, {
    headers: { authorization: `Bearer ${agentKey}` },
  });
  stack.defer(() => socket.close());
  const heard = new Map<string, PromiseWithResolvers<{ request_id: string }>>(
    ["welcome", "request"].map((type) => [type, Promise.withResolvers()]),
  );
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    heard.get(message.type)?.resolve(message);
  };
  socket.onopen = () =>
    socket.send(
      JSON.stringify({ type: "hello", protocol: { min: 1, max: 2 }, agent: AGENT, runs: [] }),
    );
  await heard.get("welcome")!.promise;
  const payload = {
    kind: "destination.delete" as const,
    backup_destination_id: 1,
    directory: "/backups",
    names: ["one"],
    witnesses: [],
  };
  const answer = requestAgent(real, serverId, payload, 60_000);
  const { request_id } = await heard.get("request")!.promise;
  isAway = true;
  const result = { deleted: ["one"], failed: [] };
  socket.send(JSON.stringify({ type: "response", request_id, ok: true, result }));
  for (let seen = 0; seen < 3; seen = refused) {
    await until(() => refused > seen);
    await clock.advance(5_000);
  }
  isAway = false;
  await until(async () => {
    await clock.advance(1_000);
    const [row] = await real.database<{ state: string }[]>`select state from agent_requests`;
    return row!.state === "answered";
  });
  assert.deepEqual(await answer, result);
});

Deno.test("each agent gets its instructions under its own version's name", async () => {
  await using stack = new AsyncDisposableStack();
  const { services } = stack.use(await testServices());
  const { url } = await serve(services, stack);
  const { caller, serverId } = await plant(services);
  const { token } = await createEnrolmentToken(services, caller, serverId, 60);
  const { agentKey } = await enrolAgent(services, token, AGENT);
  const runs = [{ run_id: 4711, attempt: 1, finished: false, last_sequence: 3 }];
  for (let version = PROTOCOL_MIN; version <= PROTOCOL_VERSION; version++) {
    using agent = await RawAgent.connect(url, agentKey, {
      ...HELLO,
      protocol: { min: 1, max: version },
      seat: "seat",
      runs,
    });
    agent.answersPings = false;
    const welcome = await agent.next("welcome");
    assert.equal(welcome.protocol, version);
    const name = version < 4 ? "verdict" : "instruction";
    assert.deepEqual(welcome.runs, [{ run_id: 4711, attempt: 1, [name]: "forget", acknowledged: 3 }]);
  }
});
