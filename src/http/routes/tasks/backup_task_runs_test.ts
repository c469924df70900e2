import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newDestination, newRun, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";

Deno.test("a run begun by hand is shown by the task, its status and its log", async () => {
  await using api = await testApi();
  const { call, ...rest } = await api.user();
  const id = await newTask({ call, ...rest });
  const started = await call("POST", `/api/backup-tasks/${id}/run`);
  assert.equal(started.status, 202);
  const { message, backup_task_log_id } = started.body;
  assert.equal(message, "Backup task initiated successfully.");
  assert.deepEqual((await call("GET", `/api/backup-tasks/${id}/status`)).body, {
    data: { id, status: "running" },
  });
  assert.equal((await call("GET", `/api/backup-tasks/${id}`)).body.data.status, "running");
  const log = (await call("GET", `/api/backup-tasks/${id}/latest-log`)).body.data;
  assert.deepEqual([log.id, log.status, log.finished_at, log.output], [
    backup_task_log_id,
    "queued",
    null,
    "",
  ]);
});

Deno.test("a task that is queued, or paused, or whose server is busy, is not run", async () => {
  await using api = await testApi();
  const client = await api.user();
  const remote_server_id = await newServer(client);
  const backup_destination_id = await newDestination(client);
  const one = await newTask(client, { remote_server_id, backup_destination_id });
  const two = await newTask(client, { remote_server_id, backup_destination_id });
  const run = (id: number) => client.call("POST", `/api/backup-tasks/${id}/run`);
  assert.equal((await run(one)).status, 202);
  for (const [id, message] of [[one, /already queued/], [two, /limit of 1/]] as const) {
    const refused = await run(id);
    assert.deepEqual([refused.status, refused.body.error], [409, "Conflict"]);
    assert.match(refused.body.message, message);
  }
  await client.call("PUT", `/api/remote-servers/${remote_server_id}`, { runs_at_once: 2 });
  await client.call("POST", `/api/backup-tasks/${two}/pause`);
  assert.match((await run(two)).body.message, /paused/);
  await client.call("POST", `/api/backup-tasks/${two}/resume`);
  assert.equal((await run(two)).status, 202);
});

Deno.test("a queued run is cancelled at once; without a run there is nothing to cancel", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client);
  const cancel = () => client.call("POST", `/api/backup-tasks/${id}/cancel`);
  assert.equal((await cancel()).status, 409);
  const { backup_task_log_id } = (await client.call("POST", `/api/backup-tasks/${id}/run`)).body;
  const cancelled = await cancel();
  assert.deepEqual([cancelled.status, cancelled.body.backup_task_log_id], [200, backup_task_log_id]);
  const log = (await client.call("GET", `/api/backup-tasks/${id}/latest-log`)).body.data;
  assert.deepEqual([log.status, log.reason], ["cancelled", "Cancelled by request."]);
  assert.equal((await client.call("GET", `/api/backup-tasks/${id}/status`)).body.data.status, "ready");
});

Deno.test("running needs its own ability", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const id = await newTask(owner);
  const reader = await api.tokenOf(owner, ["view-backup-tasks", "update-backup-tasks"]);
  const refused = await reader.call("POST", `/api/backup-tasks/${id}/run`);
  assert.equal(refused.status, 403);
  assert.match(refused.body.message, /run-backup-tasks/);
});

Deno.test("a paused task has no next run and is not upcoming; what it missed is not made up for", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client);
  const paused = await client.call("POST", `/api/backup-tasks/${id}/pause`);
  assert.deepEqual([paused.status, paused.body.message], [200, "Backup task paused successfully."]);
  assert.deepEqual(
    [
      paused.body.data.paused_at,
      paused.body.data.schedule.next_run_at,
      paused.body.data.schedule.scheduled_utc_time,
    ],
    ["2026-01-05T12:00:00Z", null, "01:00"],
  );
  assert.deepEqual((await client.call("GET", "/api/backup-tasks/upcoming")).body.data, []);
  await api.clock.set("2026-01-08T12:00:00Z");
  assert.equal(
    (await client.call("POST", `/api/backup-tasks/${id}/pause`)).body.data.paused_at,
    "2026-01-05T12:00:00Z",
  );
  const resumed = (await client.call("POST", `/api/backup-tasks/${id}/resume`)).body.data;
  assert.deepEqual([resumed.paused_at, resumed.schedule.next_run_at], [null, "2026-01-09T01:00:00Z"]);
});

Deno.test("resuming a task that is not paused leaves an overdue run due", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client);
  await api.clock.set("2026-01-06T02:00:00Z");
  const resumed = (await client.call("POST", `/api/backup-tasks/${id}/resume`)).body.data;
  assert.equal(resumed.schedule.next_run_at, "2026-01-06T01:00:00Z");
});

Deno.test("upcoming tasks come soonest first, each with its wait", async () => {
  await using api = await testApi();
  const client = await api.user();
  const late = await newTask(client, { label: "Late", time_to_run_at: "11:00" });
  const soon = await newTask(client, { label: "Soon", custom_cron_expression: "*/20 * * * *" });
  const { status, body } = await client.call("GET", "/api/backup-tasks/upcoming");
  assert.equal(status, 200);
  assert.deepEqual(body.data, [
    {
      backup_task_id: soon,
      label: "Soon",
      type: "files",
      next_run: "2026-01-05T12:20:00Z",
      next_run_human: "in 20 minutes",
    },
    {
      backup_task_id: late,
      label: "Late",
      type: "files",
      next_run: "2026-01-06T11:00:00Z",
      next_run_human: "in 23 hours",
    },
  ]);
});

Deno.test("the latest log and the status speak of backup runs only", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client);
  assert.deepEqual((await client.call("GET", `/api/backup-tasks/${id}/latest-log`)).body, {
    error: "Not Found",
    message: "Backup task log not found",
  });
  const backup = await newRun(api.database, id, api.clock.now(), { state: "failed", reason: "Disk full" });
  await newRun(api.database, id, api.clock.now(), { kind: "restore", state: "running" });
  const log = (await client.call("GET", `/api/backup-tasks/${id}/latest-log`)).body.data;
  assert.deepEqual([log.id, log.kind, log.status, log.reason], [backup, "backup", "failed", "Disk full"]);
  assert.equal((await client.call("GET", `/api/backup-tasks/${id}/status`)).body.data.status, "ready");
});

Deno.test("a run that may wait is queued behind its server's limit, and no task gets two", async () => {
  await using api = await testApi();
  const client = await api.user();
  const references = {
    remote_server_id: await newServer(client),
    backup_destination_id: await newDestination(client),
  };
  const [one, two] = [await newTask(client, references), await newTask(client, references)];
  const run = (id: number, body?: unknown) => client.call("POST", `/api/backup-tasks/${id}/run`, body);
  assert.equal((await run(one)).status, 202);
  const refused = await run(two, { queue: false });
  assert.equal(refused.status, 409);
  assert.match(refused.body.message, /or send \{"queue": true\} to wait for a slot/);
  const queued = await run(two, { queue: true });
  assert.equal(queued.status, 202, JSON.stringify(queued.body));
  const log = await client.call("GET", `/api/backup-task-logs/${queued.body.backup_task_log_id}`);
  assert.equal(log.body.data.status, "queued");
  assert.match((await run(two, { queue: true })).body.message, /already queued/);
  await client.call("POST", `/api/backup-tasks/${two}/pause`);
  assert.match((await run(two, { queue: true })).body.message, /paused/);
});
