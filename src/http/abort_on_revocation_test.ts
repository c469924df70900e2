import assert from "node:assert/strict";
import { type ApiClient, type TestApi, testApi } from "../../tests/support/clients/api.ts";
import { newRun, newServer, newTask } from "../../tests/support/fixtures/records.ts";
import { until } from "../../tests/support/assertions/until.ts";
import { createEnrolmentToken, enrolAgent, revokeAgent } from "../services/servers/enrolment.ts";
import { watchAgentKey, watchCaller } from "../services/access/token_watch.ts";
import { authenticateToken } from "../services/access/tokens.ts";
import { abortOnRevocation } from "./abort_on_revocation.ts";

/**
 * Follows a run's events with a new token. Returns the token's id, a function that returns whether the event
 * stream has ended, and a function that waits for its end.
 */
async function follow(api: TestApi, owner: ApiClient, expires_at: string | null = null) {
  const task = await newTask(owner);
  await newRun(api.database, task, api.clock.now(), { state: "running", attempt: 1 });
  const made = await owner.call("POST", "/api/tokens", {
    name: "s",
    abilities: ["view-backup-tasks"],
    expires_at,
  });
  const { id, token } = made.body.data;
  const response = await api.app.request(`/api/backup-tasks/${task}/latest-log/stream`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  assert.equal(response.status, 200);
  const reader = response.body!.getReader();
  let text = "";
  let isOver = false;
  void (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      text += new TextDecoder().decode(next.value);
    }
    isOver = true;
  })();
  await until(() => text.includes("event: state"));
  const ended = async () => {
    await until(() => isOver, 10_000);
    return text;
  };
  return { id, isOver: () => isOver, ended };
}

async function failureOf(read: Promise<unknown>): Promise<string> {
  let failure: string | null = null;
  read.then(() => failure = "It did not fail", (error) => failure = String(error));
  await until(() => failure !== null, 10_000);
  return failure!;
}

Deno.test("a stream of events ends when its token is revoked", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const { id, ended } = await follow(api, owner);
  const other = await follow(api, owner);
  assert.equal((await owner.call("DELETE", `/api/tokens/${id}`)).status, 200);
  assert.doesNotMatch(await ended(), /event: finished/);
  assert.ok(!other.isOver());
  await owner.call("DELETE", `/api/tokens/${other.id}`);
  await other.ended();
});

Deno.test("a stream of events ends when its token loses the ability, or expires", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const narrowed = await follow(api, owner);
  await owner.call("PUT", `/api/tokens/${narrowed.id}`, { abilities: ["manage-tags"] });
  await narrowed.ended();
  const expiring = await follow(api, owner, "2026-01-05T13:00:00Z");
  await api.clock.advance(3_599_000);
  assert.ok(!expiring.isOver());
  await until(async () => {
    await api.clock.advance(1000);
    return expiring.isOver();
  }, 10_000);
});

Deno.test("a download is cut off when its token is revoked, and its source is released", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const made = await owner.call("POST", "/api/tokens", { name: "d", abilities: ["restore-backups"] });
  const caller = await authenticateToken(api.services, made.body.data.token);
  let left = false;
  const endless = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel: () => void (left = true),
  });
  const response = abortOnRevocation(
    new Response(endless, { headers: { ETag: '"e"' } }),
    () => watchCaller(api.services, caller, "restore-backups"),
  );
  assert.equal(response.headers.get("etag"), '"e"');
  const reader = response.body!.getReader();
  assert.equal((await reader.read()).value?.length, 10);
  const next = reader.read();
  await owner.call("DELETE", `/api/tokens/${made.body.data.id}`);
  assert.match(await failureOf(next), /its token is no longer valid/);
  assert.ok(left);
});

Deno.test("an agent's download is cut off when its key is revoked, and another agent's is not", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const caller = await authenticateToken(api.services, owner.token);
  const agent = async () => {
    const id = await newServer(owner);
    const { token } = await createEnrolmentToken(api.services, caller, id, 60);
    const description = { version: "1", hostname: "h", os: "linux", arch: "x", tools: {} };
    const { agentKey } = await enrolAgent(api.services, token, description);
    const endless = new ReadableStream<Uint8Array>({ start: (each) => each.enqueue(new Uint8Array(10)) });
    const reader = abortOnRevocation(new Response(endless), () => watchAgentKey(api.services, agentKey)).body!
      .getReader();
    await reader.read();
    return { id, reader };
  };
  const [first, second] = [await agent(), await agent()];
  const next = first.reader.read();
  let isOpen = true;
  second.reader.read().then(() => isOpen = false, () => isOpen = false);
  await revokeAgent(api.services, caller, first.id);
  assert.match(await failureOf(next), /its token is no longer valid/);
  assert.ok(isOpen);
  await second.reader.cancel();
});
