import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newBackup, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";

const PATH = "/api/backup-tasks/week";

Deno.test("a week shows when each task is due, how long it takes, and which tasks of a server overlap", async () => {
  await using api = await testApi();
  const client = await api.user();
  const web = await newServer(client, { label: "web" });
  const db = await newServer(client, { label: "DB" });
  await newServer(client, { label: "no task" });
  const berlin = { timezone: "Europe/Berlin" };
  const daily = await newTask(client, {
    remote_server_id: web,
    label: "B",
    time_to_run_at: "02:30",
    ...berlin,
  });
  const weekly = await newTask(client, {
    remote_server_id: web,
    label: "a",
    frequency: "weekly",
    weekday: 3,
    time_to_run_at: "01:35",
    timezone: "UTC",
  });
  const alone = await newTask(client, { remote_server_id: db, time_to_run_at: "02:30", ...berlin });
  for (const duration_ms of [60_000, 600_000, 3_000_000]) {
    await newBackup(api.database, daily, api.clock.now(), { duration_ms });
  }
  await newTask(await api.user());
  const { status, body } = await client.call("GET", `${PATH}?start=2026-01-12&timezone=Europe/Berlin`);
  assert.equal(status, 200, JSON.stringify(body));
  const { servers, days, ...week } = body.data;
  assert.deepEqual(week, {
    timezone: "Europe/Berlin",
    from: "2026-01-11T23:00:00Z",
    until: "2026-01-18T23:00:00Z",
  });
  assert.deepEqual([days.length, days[0], days[6]], [7, "2026-01-12", "2026-01-18"]);
  assert.deepEqual(servers.map(({ id, label }: Record<string, unknown>) => [id, label]), [[db, "DB"], [
    web,
    "web",
  ]]);
  const [first, second] = servers[1].tasks;
  assert.deepEqual([first.backup_task_id, second.backup_task_id], [weekly, daily]);
  assert.deepEqual(first, {
    backup_task_id: weekly,
    label: "a",
    type: "files",
    description: "Every Wednesday at 01:35 UTC",
    is_paused: false,
    expected_duration_ms: null,
    interval_ms: null,
    interval: null,
    runs: [{ at: "2026-01-14T01:35:00Z", local: "2026-01-14T02:35:00+01:00", until: "2026-01-14T01:35:00Z" }],
  });
  assert.deepEqual([second.expected_duration_ms, second.runs.length], [600_000, 7]);
  assert.deepEqual(second.runs[0], {
    at: "2026-01-12T01:30:00Z",
    local: "2026-01-12T02:30:00+01:00",
    until: "2026-01-12T01:40:00Z",
  });
  assert.deepEqual(servers[1].overlaps, [{
    from: "2026-01-14T01:35:00Z",
    until: "2026-01-14T01:36:00Z",
    backup_task_ids: [daily, weekly],
    most_at_once: 2,
    waits: true,
  }]);
  assert.deepEqual([servers[0].tasks[0].backup_task_id, servers[0].overlaps], [alone, []]);
  await client.call("PUT", `/api/remote-servers/${web}`, { runs_at_once: 2 });
  const wider = (await client.call("GET", `${PATH}?start=2026-01-12`)).body.data;
  assert.equal(wider.servers[1].overlaps[0].waits, false);
});

Deno.test("a task that is due often has an interval in place of its due times, and does not count as an overlap", async () => {
  await using api = await testApi();
  const client = await api.user();
  const remote_server_id = await newServer(client);
  const cron = (label: string, custom_cron_expression: string) =>
    newTask(client, { remote_server_id, label, custom_cron_expression });
  await cron("1", "* * * * *");
  await cron("2", "*/20 8-18 * * *");
  await cron("3", "0 * * * *");
  await cron("4", "0 */6 * * *");
  const paused = await cron("5", "0 */6 * * *");
  await client.call("POST", `/api/backup-tasks/${paused}/pause`);
  const broken = await cron("6", "0 2 * * *");
  await api.database`update backup_tasks set custom_cron_expression = 'nonsense' where id = ${broken}`;
  const [{ tasks, overlaps }] = (await client.call("GET", `${PATH}?start=2026-01-12`)).body.data.servers;
  assert.deepEqual(
    tasks.map((
      task: Record<string, unknown[]>,
    ) => [task.interval, task.interval_ms, task.runs!.length, task.is_paused]),
    [
      ["every minute", 60_000, 0, false],
      ["up to every 20 min", 1_200_000, 0, false],
      ["every hour", 3_600_000, 0, false],
      [null, null, 28, false],
      [null, null, 0, true],
      [null, null, 0, false],
    ],
  );
  assert.deepEqual(overlaps, []);
});

Deno.test("a week begins on the last Monday in the user's time zone, and has an hour more or less at clock changes", async () => {
  await using api = await testApi();
  const client = await api.user();
  await api.database`update users set timezone = 'Europe/Berlin' where id = ${client.userId}`;
  await newTask(client, { time_to_run_at: "02:30" });
  const week = async (query = "") => (await client.call("GET", `${PATH}${query}`)).body.data;
  assert.equal((await week()).days[0], "2026-01-05");
  // It is Sunday in UTC, and Monday in Berlin.
  await api.clock.set("2026-01-11T23:30:00Z");
  assert.equal((await week()).days[0], "2026-01-12");
  const spring = await week("?start=2026-03-23");
  assert.deepEqual([spring.from, spring.until], ["2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"]);
  assert.deepEqual(spring.servers[0].tasks[0].runs.at(-1), {
    at: "2026-03-29T01:00:00Z",
    local: "2026-03-29T03:00:00+02:00",
    until: "2026-03-29T01:00:00Z",
  });
  // Due times before the task existed are not shown.
  assert.deepEqual((await week("?start=2025-12-29")).servers[0].tasks[0].runs, []);
  for (const query of ["?start=monday", "?start=2026-02-30", "?timezone=Mars/Base"]) {
    assert.equal((await client.call("GET", `${PATH}${query}`)).status, 422, query);
  }
});
