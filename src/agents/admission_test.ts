/** Tests which of two agents with the same key is connected, and what happens to a run in progress. */
import assert from "node:assert/strict";
import { createEnrolmentToken, enrolAgent } from "../services/servers/enrolment.ts";
import { showRemoteServer } from "../services/servers/remote_servers.ts";
import { startRun } from "../services/runs/runs.ts";
import { serve } from "../../tests/support/servers/control_plane.ts";
import { onSystemClock, testServices } from "../../tests/support/fixtures/database.ts";
import { AGENT, plant } from "../../tests/support/fixtures/planted.ts";
import { HELLO, RawAgent } from "../../tests/support/clients/raw_agent.ts";
import { until } from "../../tests/support/assertions/until.ts";

async function stage(stack: AsyncDisposableStack, lease = 60_000) {
  const test = stack.use(await testServices({ runTimes: { lease } }));
  const { services } = stack.use(onSystemClock(test.services));
  const planted = await plant(services);
  const { token } = await createEnrolmentToken(services, planted.caller, planted.serverId, 60);
  const { agentKey } = await enrolAgent(services, token, AGENT);
  const { url } = await serve(services, stack);
  const connect = async (hello: object = {}, at = url) =>
    stack.use(await RawAgent.connect(at, agentKey, { ...HELLO, ...hello }));
  const runOf = async (agent: RawAgent) => {
    await startRun(services, planted.caller, planted.taskId);
    const { attempt, run_id } = await agent.next("run.start");
    await agent.tell({ run_id, attempt }, 1, { kind: "accepted" });
    return { run_id, attempt };
  };
  const server = () => showRemoteServer(services, planted.caller, planted.serverId);
  const stateOf = async (id: number) =>
    (await services.database`select state from runs where id = ${id}`)[0]!.state;
  return { services, planted, url, agentKey, connect, runOf, server, stateOf };
}

async function refusal(url: string, key: string, hello: object) {
  using agent = await RawAgent.open(url, key);
  agent.send({ ...HELLO, ...hello });
  const refused = await agent.next("refused");
  return { refused, code: await agent.closed };
}

Deno.test("a cloned agent is refused while the original is connected, whose run continues; the server shows it", async (t) => {
  for (const [name, seats] of [["that tell their seats", ["a", "b"]], ["of old versions", []]] as const) {
    await t.step(name, async () => {
      await using stack = new AsyncDisposableStack();
      const { connect, runOf, agentKey, url, server, stateOf } = await stage(stack);
      const original = await connect({ seat: seats[0] });
      const run = await runOf(original);
      const clone = { ...HELLO, agent: { ...AGENT, hostname: "clone" }, seat: seats[1] };
      for (let count = 1; count <= 2; count++) {
        const { code, refused } = await refusal(url, agentKey, clone);
        assert.deepEqual([refused.code, code], ["duplicate", 4409]);
        assert.match(refused.message, /from host host\. If this machine is a copy/);
        await until(async () => (await server()).duplicate_agent?.refused_count === count);
      }
      assert.equal((await server()).duplicate_agent?.hostname, "clone");
      assert.equal((await server()).agent_description?.hostname, "host");
      assert.equal(await stateOf(run.run_id), "running");
      await original.tell(run, 2, { kind: "output", text: "still here\n" });
    });
  }
});

Deno.test("an agent whose old socket is half-dead connects within seconds and keeps its run", async (t) => {
  for (
    const [name, seat, limit] of [["the same agent", "a", 3_000], ["an old one", undefined, 9_000]] as const
  ) {
    await t.step(name, async () => {
      await using stack = new AsyncDisposableStack();
      const { connect, runOf, server, stateOf } = await stage(stack);
      const silent = await connect({ seat });
      const run = await runOf(silent);
      silent.answersPings = false;
      const since = performance.now();
      const held = { ...run, finished: false, last_sequence: 1 };
      const agent = await connect({ seat, runs: [held] });
      assert.ok(performance.now() - since < limit);
      assert.equal((await agent.next("welcome")).runs[0].instruction, "continue");
      assert.equal(await silent.closed, 4409);
      assert.equal(await stateOf(run.run_id), "running");
      assert.equal((await server()).duplicate_agent, null);
      assert.equal((await server()).connectivity, "connected");
    });
  }
});

Deno.test("a copy that connects while the original is disconnected does not end its run", async () => {
  await using stack = new AsyncDisposableStack();
  const { connect, runOf, agentKey, url, server, stateOf } = await stage(stack);
  const original = await connect({ seat: "a" });
  const run = await runOf(original);
  original[Symbol.dispose]();
  await until(async () => (await server()).connectivity === "disconnected");
  const { refused } = await refusal(url, agentKey, { seat: "b" });
  assert.match(refused.message, /was working on a run moments ago/);
  await connect({ seat: "a", runs: [{ ...run, finished: false, last_sequence: 1 }] });
  assert.equal(await stateOf(run.run_id), "running");
});

Deno.test("an agent connects after a reboot once the lease of its run has expired", async () => {
  await using stack = new AsyncDisposableStack();
  const { connect, runOf, agentKey, url, server, stateOf } = await stage(stack, 1_000);
  const before = await connect({ seat: "boot 1" });
  const run = await runOf(before);
  before[Symbol.dispose]();
  await until(async () => (await server()).connectivity === "disconnected");
  await until(async () => {
    using agent = await RawAgent.open(url, agentKey);
    agent.send({ ...HELLO, seat: "boot 2" });
    return await agent.next("welcome").then(() => true, () => false);
  });
  assert.equal(await stateOf(run.run_id), "failed");
});

Deno.test("an agent of another replica is pinged there: it stays if it answers, and is replaced otherwise", async () => {
  await using stack = new AsyncDisposableStack();
  const { services, connect, runOf, agentKey, stateOf } = await stage(stack);
  const other = await serve(services, stack);
  const original = await connect({ seat: "a" });
  const run = await runOf(original);
  const { refused } = await refusal(other.url, agentKey, { seat: "b" });
  assert.equal(refused.code, "duplicate");
  assert.equal(await stateOf(run.run_id), "running");
  original.answersPings = false;
  await connect({ seat: "a", runs: [{ ...run, finished: false, last_sequence: 1 }] }, other.url);
  assert.equal(await original.closed, 4409);
  assert.equal(await stateOf(run.run_id), "running");
});

Deno.test("of two agents with one key that connect at the same time, one is admitted", async () => {
  await using stack = new AsyncDisposableStack();
  const { agentKey, url } = await stage(stack);
  const agents = await Promise.all(["a", "b", "c"].map(async (seat) => {
    const agent = stack.use(await RawAgent.open(url, agentKey));
    agent.send({ ...HELLO, seat });
    return agent;
  }));
  const ends = await Promise.all(agents.map((agent) => agent.next("welcome").then(() => true, () => false)));
  assert.equal(ends.filter(Boolean).length, 1);
});
