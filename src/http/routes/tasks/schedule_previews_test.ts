import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newTask } from "../../../../tests/support/fixtures/records.ts";

Deno.test("a schedule is previewed in words, with its next times and the clock changes that touch it", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  await api.clock.set("2026-03-27T12:00:00Z");
  const schedule = { frequency: "daily", time_to_run_at: "02:30", timezone: "Europe/Berlin" };
  const { status, body } = await call("POST", "/api/schedules/preview", schedule);
  assert.deepEqual([status, body.data], [200, {
    description: "Every day at 02:30 Europe/Berlin",
    schedule: { ...schedule, weekday: null, custom_cron_expression: null },
    next_runs: [
      { at: "2026-03-28T01:30:00Z", local: "2026-03-28T02:30:00+01:00" },
      { at: "2026-03-29T01:00:00Z", local: "2026-03-29T03:00:00+02:00" },
      { at: "2026-03-30T00:30:00Z", local: "2026-03-30T02:30:00+02:00" },
      { at: "2026-03-31T00:30:00Z", local: "2026-03-31T02:30:00+02:00" },
      { at: "2026-04-01T00:30:00Z", local: "2026-04-01T02:30:00+02:00" },
    ],
    notes: [
      "On 2026-03-29 the clocks go forward from 02:00 to 03:00: 02:30 does not exist, so there is one run at 03:00.",
      "On 2026-10-25 the clocks go back from 03:00 to 02:00: 02:30 occurs twice, and only the first counts.",
    ],
  }]);
  assert.equal((await api.database`select from audit_log where action = 'previewSchedule'`).length, 0);
});

Deno.test("a previewed schedule gets the defaults of a task: the user's time zone and today's weekday", async () => {
  await using api = await testApi();
  const { call, userId } = await api.user();
  await api.database`update users set timezone = 'Asia/Tokyo' where id = ${userId}`;
  const weekly = { frequency: "weekly", time_to_run_at: "02:30" };
  const { data } = (await call("POST", "/api/schedules/preview", weekly)).body;
  assert.deepEqual([data.description, data.schedule.weekday], ["Every Monday at 02:30 Asia/Tokyo", 1]);
  const cron = { ...weekly, custom_cron_expression: "0 2 * * 6" };
  const { schedule } = (await call("POST", "/api/schedules/preview", cron)).body.data;
  assert.deepEqual(schedule, {
    frequency: null,
    time_to_run_at: null,
    weekday: null,
    custom_cron_expression: "0 2 * * 6",
    timezone: "Asia/Tokyo",
  });
});

Deno.test("a wrong schedule gets the errors that a task gets, field by field", async () => {
  await using api = await testApi();
  const client = await api.user();
  const task = {
    remote_server_id: 1,
    backup_destination_id: 1,
    label: "x",
    type: "files",
    source_path: "/srv",
  };
  for (
    const schedule of [
      {},
      { frequency: "hourly", time_to_run_at: "25:00", timezone: "+02:00", weekday: 7 },
      { frequency: "daily", timezone: "Mars/Base" },
      { custom_cron_expression: "60 * * * *" },
      { custom_cron_expression: "0 0 30 2 *" },
      { custom_cron_expression: "* * * * * *" },
      { frequency: "daily", time_to_run: "02:00" },
    ]
  ) {
    const preview = await client.call("POST", "/api/schedules/preview", schedule);
    const created = await client.call("POST", "/api/backup-tasks", { ...task, ...schedule });
    assert.deepEqual([preview.status, created.status], [422, 422], JSON.stringify(schedule));
    assert.deepEqual(preview.body, created.body);
  }
});

Deno.test("a task shows its schedule in words, also one that can't be parsed any more", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client, { frequency: "weekly", weekday: 0, time_to_run_at: "04:00" });
  const words = async () =>
    (await client.call("GET", `/api/backup-tasks/${id}`)).body.data.schedule.description;
  assert.equal(await words(), "Every Sunday at 04:00 UTC");
  await api.database`
    update backup_tasks set frequency = null, time_to_run_at = null, weekday = null, custom_cron_expression = 'nonsense'`;
  assert.equal(await words(), "At the times of the cron expression nonsense (UTC)");
});
