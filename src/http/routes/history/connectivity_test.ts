import assert from "node:assert/strict";
import { newServer } from "../../../../tests/support/fixtures/records.ts";
import { type ApiClient, type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { sayHello } from "../../../../tests/support/fixtures/planted.ts";
import {
  disconnectAgent,
  disconnectReplica,
  renewAgentLeases,
} from "../../../services/servers/connections.ts";
import { deleteExpiredRows } from "../../../services/installation/housekeeping.ts";
import { heartbeatReplica, registerReplica } from "../../../services/installation/replicas.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Makes the recording begin before the test. */
async function recordedSince({ database, clock }: TestApi): Promise<void> {
  await database`update schema_migrations set applied_at = ${new Date(clock.now().getTime() - DAY)}`;
}

async function connectivity(client: ApiClient, server: number, query = "") {
  const { body, status } = await client.call("GET", `/api/remote-servers/${server}/connectivity${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.data;
}

Deno.test("connections are recorded as intervals, without absences of less than a minute", async () => {
  await using api = await testApi();
  await recordedSince(api);
  const { clock, services } = api;
  const client = await api.user();
  const server = await newServer(client);
  assert.deepEqual((await connectivity(client, server)).uptime, null);
  const start = clock.now();
  const time = (minutes: number) =>
    `${new Date(start.getTime() + minutes * MINUTE).toISOString().slice(0, 19)}Z`;
  const intervals = async () => (await connectivity(client, server)).intervals;
  const first = await sayHello(services, server);
  await clock.advance(10 * MINUTE);
  await disconnectAgent(services, first.connection);
  await clock.advance(MINUTE / 2);
  const second = await sayHello(services, server);
  await clock.advance(MINUTE / 2);
  // The agent connects to another control plane before the first one has noticed the loss.
  const third = await sayHello(services, server);
  await disconnectAgent(services, second.connection);
  assert.deepEqual(await intervals(), [{ connected_at: time(0), disconnected_at: null }]);
  await clock.advance(9 * MINUTE);
  await disconnectReplica(services, third.connection.replicaId);
  await clock.advance(20 * MINUTE);
  assert.deepEqual(await intervals(), [{ connected_at: time(0), disconnected_at: time(20) }]);
  assert.equal((await connectivity(client, server)).uptime, 0.5);
  await sayHello(services, server);
  const shown = await connectivity(client, server, "?from=2026-01-05&to=2026-01-06&timezone=UTC");
  assert.deepEqual(shown, {
    timezone: "UTC",
    from: "2026-01-05",
    to: "2026-01-06",
    recorded_since: time(0),
    uptime: 0.5,
    days: [{ date: "2026-01-05", uptime: 0.5 }, { date: "2026-01-06", uptime: null }],
    intervals: [
      { connected_at: time(0), disconnected_at: time(20) },
      { connected_at: time(40), disconnected_at: null },
    ],
  });
  const yesterday = await connectivity(client, server, "?from=2026-01-04&to=2026-01-04&timezone=UTC");
  assert.deepEqual([yesterday.uptime, yesterday.intervals], [null, []]);
});

Deno.test("a killed control plane's agents were away since its last heartbeat, unless it lives after all", async () => {
  await using api = await testApi();
  await recordedSince(api);
  const { clock, services } = api;
  const client = await api.user();
  const server = await newServer(client);
  const { connection } = await sayHello(services, server);
  await clock.advance(5 * MINUTE);
  await heartbeatReplica(services, connection.replicaId);
  const heard = `${clock.now().toISOString().slice(0, 19)}Z`;
  await clock.advance(31_000);
  const other = crypto.randomUUID();
  await registerReplica(services, other);
  const last = async () => (await connectivity(client, server)).intervals.at(-1).disconnected_at;
  assert.equal(await last(), heard);
  await heartbeatReplica(services, connection.replicaId);
  await renewAgentLeases(services, [connection]);
  assert.equal(await last(), null);
  assert.equal((await connectivity(client, server)).intervals.length, 1);
});

Deno.test("every server's days are listed at once, and old connections are deleted", async () => {
  await using api = await testApi();
  await recordedSince(api);
  const { clock, database, services } = api;
  const client = await api.user();
  const [server, silent] = [await newServer(client, { label: "web" }), await newServer(client)];
  await newServer(await api.user());
  const { connection } = await sayHello(services, server);
  await clock.advance(DAY);
  await disconnectAgent(services, connection);
  await clock.advance(DAY);
  const list = async (query = "") =>
    (await client.call("GET", `/api/remote-servers/connectivity${query}`)).body.data;
  const [first, second] = await list("?timezone=UTC");
  assert.deepEqual([first.remote_server_id, first.label, first.uptime], [server, "web", 0.5]);
  assert.equal(first.days.length, 30);
  assert.deepEqual(first.days.slice(-4).map(({ uptime }: { uptime: number }) => uptime), [null, 1, 0.5, 0]);
  assert.deepEqual([second.remote_server_id, second.uptime], [silent, null]);
  assert.deepEqual((await list(`?ids=${silent},99999`)).length, 1);
  await clock.advance(89 * DAY - 1);
  await deleteExpiredRows(services);
  assert.equal((await database`select from server_connections`).length, 1);
  await clock.advance(2);
  await deleteExpiredRows(services);
  assert.equal((await database`select from server_connections`).length, 0);
  const missing = await client.call("GET", "/api/remote-servers/99999/connectivity");
  assert.equal(missing.status, 404);
});
