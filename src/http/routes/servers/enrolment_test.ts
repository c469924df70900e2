import assert from "node:assert/strict";
import { type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { newServer } from "../../../../tests/support/fixtures/records.ts";
import { authenticateAgent } from "../../../services/servers/enrolment.ts";
import type { Notification } from "../../../store/database/event_bus.ts";

const agent = { version: "0.1.0", hostname: "web-1", os: "linux", arch: "x86_64", tools: { tar: "1.34" } };

async function enrol(api: TestApi, token: string, body: unknown = { agent }) {
  const response = await api.app.request("/api/agent/enrol", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/**
 * Collects all notifications from now on, except those with the topics `reconnected` and `records_changed`.
 */
function collectNotifications(api: TestApi): Notification[] {
  const all: Notification[] = [];
  api.services.bus.subscribe((notification) => {
    if (!["reconnected", "records_changed"].includes(notification.topic)) {
      all.push(notification as Notification);
    }
  });
  return all;
}

Deno.test("a token enrols one agent, once, and its key is known by its hash only", async () => {
  await using api = await testApi({ publicUrl: "https://backups.example.com/" });
  const client = await api.user();
  const id = await newServer(client, { label: "web" });
  const made = await client.call("POST", `/api/remote-servers/${id}/enrolment-tokens`);
  assert.equal(made.status, 201);
  const { token, expires_at, install_command } = made.body.data;
  assert.match(token, /^rge_[A-Za-z0-9_-]{43}$/);
  assert.equal(expires_at, "2026-01-05T13:00:00Z");
  assert.equal(
    install_command,
    `curl -fsSL 'https://backups.example.com/install.sh' | REARGUARD_TOKEN='${token}' sudo --preserve-env=REARGUARD_TOKEN sh`,
  );
  const enrolled = await enrol(api, token);
  assert.equal(enrolled.status, 201);
  const { agent_key, remote_server } = enrolled.body.data;
  assert.match(agent_key, /^rga_[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(remote_server, { id, label: "web" });
  assert.equal((await authenticateAgent(api.services, agent_key))?.id, id);
  assert.equal(await authenticateAgent(api.services, token), null);
  const shown = (await client.call("GET", `/api/remote-servers/${id}`)).body.data;
  assert.deepEqual(shown.agent, { ...agent, protocol: null });
  const again = await enrol(api, token);
  assert.equal(again.status, 401);
  assert.match(again.body.message, /unknown, expired or already used/);
  const stored = JSON.stringify([
    await api.database`select * from enrolment_tokens`,
    await api.database`select * from remote_servers`,
  ]);
  assert.ok(!stored.includes(token) && !stored.includes(agent_key));
});

Deno.test("of several agents with one token, one is enrolled", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newServer(client);
  const { token } = (await client.call("POST", `/api/remote-servers/${id}/enrolment-tokens`)).body.data;
  const answers = await Promise.all([1, 2, 3, 4].map(() => enrol(api, token)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 401, 401, 401]);
});

Deno.test("a token ends when its time is up", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newServer(client);
  const path = `/api/remote-servers/${id}/enrolment-tokens`;
  const { token } = (await client.call("POST", path, { expires_in: 60 })).body.data;
  await api.clock.advance(60_000);
  assert.equal((await enrol(api, token)).status, 401);
  assert.deepEqual(Object.keys((await client.call("POST", path, { expires_in: 5 })).body.errors), [
    "expires_in",
  ]);
});

Deno.test("an invalid description does not use up the token", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newServer(client);
  const { token } = (await client.call("POST", `/api/remote-servers/${id}/enrolment-tokens`)).body.data;
  assert.equal((await enrol(api, token, {})).status, 422);
  assert.equal((await enrol(api, "rge_unknown")).status, 401);
  assert.equal((await enrol(api, token)).status, 201);
});

Deno.test("a second agent invalidates the first one's key, and revoking ends key and tokens", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newServer(client);
  const newToken = async () =>
    (await client.call("POST", `/api/remote-servers/${id}/enrolment-tokens`)).body.data.token;
  const notifications = collectNotifications(api);
  const first = (await enrol(api, await newToken())).body.data.agent_key;
  const second = (await enrol(api, await newToken())).body.data.agent_key;
  assert.equal(await authenticateAgent(api.services, first), null);
  assert.equal((await authenticateAgent(api.services, second))?.id, id);
  const unused = await newToken();
  const revoked = await client.call("DELETE", `/api/remote-servers/${id}/agent`);
  assert.deepEqual([revoked.status, revoked.body], [200, { message: "Agent successfully revoked" }]);
  assert.equal(await authenticateAgent(api.services, second), null);
  assert.equal((await enrol(api, unused)).status, 401);
  while (notifications.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(notifications, Array(2).fill({ topic: "agent_revoked", remote_server_id: id }));
});

Deno.test("a retried call never shows a token twice", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newServer(client);
  const ask = () =>
    client.call("POST", `/api/remote-servers/${id}/enrolment-tokens`, {}, { "Idempotency-Key": "once" });
  assert.equal((await ask()).status, 201);
  assert.equal((await ask()).status, 409);
});
