import assert from "node:assert/strict";
import { createApp } from "../../app.ts";
import { Loop } from "../../../dispatcher/loop.ts";
import { Health } from "../../../services/installation/health.ts";
import { openDatabase } from "../../../store/database/database.ts";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newRun, newTask } from "../../../../tests/support/fixtures/records.ts";

const get = async (app: ReturnType<typeof createApp>, path: string) => {
  const response = await app.request(path);
  return { status: response.status, text: await response.text(), headers: response.headers };
};

Deno.test("a process with its database and migrations is up and ready", async () => {
  await using api = await testApi();
  assert.deepEqual(JSON.parse((await get(api.app, "/healthz")).text), { status: "ok" });
  const ready = await get(api.app, "/readyz");
  assert.deepEqual([ready.status, JSON.parse(ready.text)], [200, { status: "ready" }]);
});

Deno.test("a database that lacks a migration is not ready, and the answer says so", async () => {
  await using api = await testApi();
  await api.database`delete from schema_migrations where version > 1`;
  const ready = await get(api.app, "/readyz");
  assert.equal(ready.status, 503);
  assert.match(JSON.parse(ready.text).message, /^The database has 1 of \d+ migrations/);
});

Deno.test("a process that is starting or stopping is not ready", async () => {
  await using api = await testApi();
  const health = new Health(api.clock);
  const app = createApp({ services: { ...api.services, health } });
  const readiness = async () => {
    const { status, text } = await get(app, "/readyz");
    return [status, JSON.parse(text).message];
  };
  assert.deepEqual(await readiness(), [503, "The control plane is starting."]);
  health.serve();
  assert.deepEqual(await readiness(), [200, undefined]);
  health.stop();
  assert.deepEqual(await readiness(), [503, "The control plane is stopping."]);
});

Deno.test("a process whose loop hangs, or fails for long, is not ready, and the response and the metrics name it", async () => {
  await using api = await testApi();
  const { clock, services: { health } } = api;
  const rounds: PromiseWithResolvers<Date | null>[] = [];
  const work = () => {
    const round = Promise.withResolvers<Date | null>();
    rounds.push(round);
    return round.promise;
  };
  const loop = new Loop({ name: "scheduler", clock, health, pollMs: 30_000, patienceMs: 60_000, work });
  loop.start();
  const ready = async () => (await get(api.app, "/readyz")).status;
  await clock.advance(90_000);
  assert.equal(await ready(), 200);
  await clock.advance(31_000);
  const { status, text } = await get(api.app, "/readyz");
  assert.equal(status, 503);
  assert.match(JSON.parse(text).message, /^Background loops have stalled: the scheduler for 121 s;/);
  assert.match(
    (await get(api.app, "/metrics")).text,
    /^rearguard_loop_age_seconds\{loop="scheduler"\} 121$/m,
  );
  rounds[0]!.resolve(null);
  await clock.advance(0);
  assert.equal(await ready(), 200);
  // From here on, every round of the loop fails at once.
  for (let failures = 1; await ready() === 200; failures++) {
    assert.ok(failures < 100);
    await clock.advance(30_000);
    rounds.at(-1)!.reject(new Error("no"));
    await clock.advance(0);
  }
  const over = loop.stop();
  rounds.at(-1)!.resolve(null);
  await over;
  assert.equal(await ready(), 200);
});

Deno.test("without its database a process is up but not ready, and API requests get a 503", async () => {
  await using api = await testApi();
  const database = openDatabase("postgres://nobody@127.0.0.1:1/none", { max: 1, backoff: () => 0 });
  const app = createApp({ services: { ...api.services, database } });
  assert.equal((await get(app, "/healthz")).status, 200);
  const ready = await get(app, "/readyz");
  assert.equal(ready.status, 503);
  assert.match(JSON.parse(ready.text).message, /does not answer/);
  const call = await app.request("/api/tags", { headers: { Authorization: `Bearer ${api.admin.token}` } });
  assert.equal(call.status, 503);
  assert.equal(call.headers.get("retry-after"), "5");
  assert.equal((await call.json()).error, "Service Unavailable");
  await database.end();
});

Deno.test("the metrics show runs by state, agents, the queue's age and requests", async () => {
  await using api = await testApi();
  const { database, clock, admin: { userId, call } } = api;
  const now = clock.now();
  await database`insert into replicas values ('3b241101-e2bb-4255-8caf-4136c566a962', ${now}, ${now})`;
  await database`
    insert into remote_servers (user_id, label, ip_address, connection_id, connection_replica_id, created_at, updated_at)
    values (${userId}, 'up', '192.0.2.1', gen_random_uuid(), '3b241101-e2bb-4255-8caf-4136c566a962', ${now}, ${now}),
      (${userId}, 'down', '192.0.2.2', null, null, ${now}, ${now})`;
  await database`
    insert into runs (user_id, kind, trigger, state, deadline_at, created_at)
    select ${userId}, 'backup', 'manual', 'queued', ${now}, ${now}::timestamptz from generate_series(1, 2)`;
  const client = await api.user();
  const [never, done, paused] = [await newTask(client), await newTask(client), await newTask(client)];
  await newRun(database, done, now, { state: "succeeded", finished_at: now });
  await newRun(database, done, now, { state: "failed", finished_at: clock.now() });
  await database`update backup_tasks set created_at = ${now}::timestamptz - interval '1 day'`;
  await database`update backup_tasks set paused_at = ${now} where id = ${paused}`;
  await newRun(database, never, now, {
    state: "running",
    lease_expires_at: new Date(now.getTime() + 60_000),
    deadline_at: now,
  });
  await clock.advance(90_000);
  await call("GET", "/api/tags?page=1");
  await call("GET", "/api/nothing/here");
  const { text, headers } = await get(api.app, "/metrics");
  assert.match(headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  for (
    const line of [
      'rearguard_runs{kind="backup",state="queued"} 2',
      "rearguard_remote_servers 5",
      "rearguard_queue_age_seconds 90",
      "rearguard_lease_age_seconds 90",
      `rearguard_backup_task_last_success_age_seconds{backup_task_id="${done}"} 90`,
      `rearguard_backup_task_last_success_age_seconds{backup_task_id="${never}"} ${86_400 + 90}`,
      'rearguard_http_requests_total{method="GET",route="/api/tags",status="200"} 1',
      'rearguard_http_requests_total{method="GET",route="other",status="404"} 1',
      'rearguard_http_request_duration_seconds_count{method="GET",route="/api/tags"} 1',
    ]
  ) assert.ok(text.split("\n").includes(line), `${line} in\n${text}`);
  assert.ok(!text.includes(`backup_task_id="${paused}"`), "a paused task is not missed");
  assert.match(text, /^rearguard_connected_agents 0$/m, "its replica was not heard of for too long");

  await database`update replicas set heartbeat_at = ${clock.now()}`;
  assert.match(
    (await get(api.app, "/metrics")).text,
    /^rearguard_connected_agents 0$/m,
    "counted again too soon",
  );
  await clock.advance(5_000);
  assert.match((await get(api.app, "/metrics")).text, /^rearguard_connected_agents 1$/m);
});

Deno.test("both addresses return the same document", async () => {
  await using api = await testApi();
  const [outside, inside] = [await get(api.app, "/openapi.json"), await get(api.app, "/api/openapi.json")];
  assert.equal(outside.text, inside.text);
  assert.equal(JSON.parse(outside.text).openapi, "3.1.0");
});
