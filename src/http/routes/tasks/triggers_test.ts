import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newTask } from "../../../../tests/support/fixtures/records.ts";

interface Trigger {
  headers?: Record<string, string>;
  query?: string;
  body?: unknown;
  remoteAddress?: string;
}

async function setUp() {
  const api = await testApi({ authFailuresPerMinute: 9 });
  const client = await api.user();
  const task = await newTask(client);
  const trigger = async (id: number | string, { headers = {}, query = "", body, remoteAddress }: Trigger) => {
    const response = await api.app.request(`/api/backup-tasks/${id}/trigger${query}`, {
      method: "POST",
      headers: { ...headers, ...body === undefined ? {} : { "Content-Type": "application/json" } },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    }, { remoteAddress });
    return { status: response.status, body: await response.json(), headers: response.headers };
  };
  const make = async (id = task): Promise<string> => {
    const { status, body } = await client.call("POST", `/api/backup-tasks/${id}/trigger-token`);
    assert.equal(status, 201, JSON.stringify(body));
    return body.data.token;
  };
  const end = () =>
    api.database`update runs set state = 'succeeded', finished_at = created_at, deadline_at = null`;
  return { api, client, task, trigger, make, end };
}

Deno.test("a trigger's token runs its task, from either header or the query, and does nothing else", async () => {
  const { api, client, task, trigger, make, end } = await setUp();
  await using _ = api;
  const token = await make();
  assert.match(token, /^rgt_[\w-]{43}$/);
  const ways: Trigger[] = [
    { headers: { Authorization: `Bearer ${token}` } },
    { headers: { "X-Trigger-Token": token } },
    { query: `?token=${token}` },
    { query: `?token=${token}`, body: { queue: true, ref: "refs/heads/main", commits: [{}] } },
  ];
  for (const given of ways) {
    const { status, body } = await trigger(task, given);
    assert.equal(status, 202, JSON.stringify(body));
    const [run] = await api.database`select id, kind, backup_task_id from runs order by id desc limit 1`;
    assert.deepEqual({ ...run }, { id: body.backup_task_log_id, kind: "backup", backup_task_id: task });
    await end();
  }
  const other = await newTask(client);
  assert.equal((await trigger(other, { headers: { "X-Trigger-Token": token } })).status, 401);
  const foreign = { method: "GET", headers: { Authorization: `Bearer ${token}` } };
  assert.equal((await api.app.request("/api/backup-tasks", foreign)).status, 401);
  assert.equal((await trigger(task, { headers: { Authorization: `Bearer ${client.token}` } })).status, 401);
});

Deno.test("an unknown task, one without a token and a wrong token get the same answer, and are throttled", async () => {
  const { api, client, task, trigger, make } = await setUp();
  await using _ = api;
  const bare = await newTask(client);
  const token = await make();
  const wrong = { headers: { "X-Trigger-Token": `rgt_${"x".repeat(43)}` } };
  const remoteAddress = "192.0.2.9";
  const answers = [
    await trigger(999, { ...wrong, remoteAddress }),
    await trigger(bare, { ...wrong, remoteAddress }),
    await trigger("abc", {}),
    await trigger(task, {}),
    await trigger(task, { ...wrong, remoteAddress }),
  ];
  for (const { status, body } of answers) {
    assert.deepEqual([status, body], [401, { message: "Unauthenticated." }]);
  }
  assert.equal((await trigger(task, { ...wrong, remoteAddress })).status, 429);
  assert.equal((await trigger(task, { headers: { "X-Trigger-Token": token }, remoteAddress })).status, 202);
  const { rows } = { rows: await api.database`select count(*)::int as count from runs` };
  assert.equal(rows[0]!.count, 1);
});

Deno.test("a new token replaces the earlier one at once, and is kept as a hash alone", async () => {
  const { api, client, task, trigger, make, end } = await setUp();
  await using _ = api;
  const first = await make();
  const second = await make();
  assert.equal((await trigger(task, { query: `?token=${first}` })).status, 401);
  assert.equal((await trigger(task, { query: `?token=${second}` })).status, 202);
  await end();
  const stored = JSON.stringify(await api.database`select * from task_triggers`);
  assert.ok(!stored.includes(second) && !stored.includes(second.slice(4)));
  const path = `/api/backup-tasks/${task}/trigger-token`;
  const stranger = await api.user();
  assert.equal((await stranger.call("POST", path)).status, 404);
  assert.equal((await stranger.call("DELETE", path)).status, 404);
  assert.equal((await client.call("DELETE", path)).status, 200);
  assert.deepEqual((await client.call("DELETE", path)).body.message, "Trigger token not found");
  assert.equal((await trigger(task, { query: `?token=${second}` })).status, 401);
});

Deno.test("a task shows its token and the last use of it, at most once a minute; the run's trigger is webhook", async () => {
  const { api, client, task, trigger, make, end } = await setUp();
  await using _ = api;
  const shown = async () => {
    const { data } = (await client.call("GET", `/api/backup-tasks/${task}`)).body;
    return [data.has_trigger_token, data.trigger_token_last_used_at];
  };
  const iso = () => `${api.clock.now().toISOString().slice(0, 19)}Z`;
  assert.deepEqual(await shown(), [false, null]);
  const token = await make();
  assert.deepEqual(await shown(), [true, null]);
  const used = async () => {
    const { status, body } = await trigger(task, { query: `?token=${token}` });
    assert.equal(status, 202, JSON.stringify(body));
    const log = (await client.call("GET", `/api/backup-task-logs/${body.backup_task_log_id}`)).body.data;
    assert.deepEqual([log.trigger, log.scheduled_for], ["webhook", null]);
    await end();
  };
  await used();
  const first = iso();
  assert.deepEqual(await shown(), [true, first]);
  await api.clock.advance(59_000);
  await used();
  assert.deepEqual(await shown(), [true, first]);
  await api.clock.advance(1_000);
  await trigger(task, { query: "?token=wrong" });
  assert.deepEqual(await shown(), [true, first]);
  await used();
  assert.deepEqual(await shown(), [true, iso()]);
  await make();
  assert.deepEqual(await shown(), [true, null]);
  await client.call("DELETE", `/api/backup-tasks/${task}/trigger-token`);
  assert.deepEqual(await shown(), [false, null]);
  const { body } = await client.call("POST", `/api/backup-tasks/${task}/run`);
  const manual = await client.call("GET", `/api/backup-task-logs/${body.backup_task_log_id}`);
  assert.equal(manual.body.data.trigger, "manual");
});

Deno.test("a paused or active task refuses its trigger, and a retry with the same key starts no second run", async () => {
  const { api, client, task, trigger, make, end } = await setUp();
  await using _ = api;
  const headers = { "X-Trigger-Token": await make() };
  const keyed = { headers: { ...headers, "Idempotency-Key": "deploy-7" } };
  const first = await trigger(task, keyed);
  assert.deepEqual(await trigger(task, keyed).then(({ status, body }) => [status, body]), [202, first.body]);
  assert.equal((await trigger(task, { ...keyed, body: { queue: false } })).status, 422);
  assert.equal((await trigger(task, { headers })).status, 409);
  await end();
  await client.call("POST", `/api/backup-tasks/${task}/pause`);
  const paused = await trigger(task, { headers });
  assert.deepEqual([paused.status, /paused/.test(paused.body.message)], [409, true]);
  assert.equal((await api.database`select from runs`).length, 1);
});

Deno.test("a triggered run waits for a slot by default", async () => {
  const { api, client, task, trigger, make } = await setUp();
  await using _ = api;
  const [{ server }] = await api.database`
    select remote_server_id as server from backup_tasks where id = ${task}` as [{ server: number }];
  const busy = await newTask(client, { remote_server_id: server });
  await client.call("POST", `/api/backup-tasks/${busy}/run`);
  const headers = { "X-Trigger-Token": await make() };
  assert.equal((await trigger(task, { headers, body: { queue: false } })).status, 409);
  assert.equal((await trigger(task, { headers })).status, 202);
});

Deno.test("the audit log names the trigger as the actor, and never its token", async () => {
  const { api, task, trigger, make } = await setUp();
  await using _ = api;
  const token = await make();
  await trigger(task, { query: `?token=${token}` });
  await trigger(task, { query: "?token=wrong" });
  const rows = await api.database`
    select actor, actor_name, action, resource, resource_id, fields, result, reason from audit_log
    where action = 'triggerBackupTask' order by id`;
  const common = { action: "triggerBackupTask", resource: "backup-tasks", resource_id: task, fields: [] };
  assert.deepEqual(rows.map((row) => ({ ...row })), [
    { actor: "trigger", actor_name: null, ...common, result: "done", reason: null },
    { actor: "unknown", actor_name: null, ...common, result: "refused", reason: "Unauthenticated." },
  ]);
  assert.ok(!JSON.stringify(await api.database`select * from audit_log`).includes(token));
});
