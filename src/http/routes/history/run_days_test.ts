import assert from "node:assert/strict";
import { newRun, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { type ApiClient, testApi } from "../../../../tests/support/clients/api.ts";
import { deleteExpiredRows } from "../../../services/installation/housekeeping.ts";

const NONE = { succeeded: 0, warnings: 0, failed: 0, cancelled: 0, skipped: 0 };

async function days(client: ApiClient, query = "") {
  const { body, status } = await client.call("GET", `/api/history/days${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.data;
}

Deno.test("runs are counted by outcome and by the day of the time zone in which they were queued", async () => {
  await using api = await testApi();
  const { clock, database } = api;
  const client = await api.user();
  const task = await newTask(client);
  const at = (time: string) => new Date(`2026-03-28T${time}Z`);
  await newRun(database, task, at("22:59:59"));
  await newRun(database, task, at("23:00:00"));
  await newRun(database, task, at("23:00:00"), { warnings_count: 2 });
  await newRun(database, task, at("10:00:00"), { state: "failed" });
  await newRun(database, task, at("10:00:00"), { state: "lost" });
  await newRun(database, task, at("10:00:00"), { state: "cancelled" });
  await newRun(database, task, at("10:00:00"), { state: "cancelled", timeout_at: at("09:00:00") });
  await newRun(database, task, at("10:00:00"), { kind: "verify", state: "failed" });
  await newRun(database, task, at("10:00:00"), { state: "running" });
  await database`insert into skipped_schedules (backup_task_id, due_at, created_at)
    values (${task}, ${at("10:00:00")}, ${clock.now()})`;
  const range = "from=2026-03-27&to=2026-03-29";
  // The clocks change on the 29th in Copenhagen, so this day begins at 23:00 UTC and has 23 hours.
  const local = await days(client, `?${range}&timezone=Europe/Copenhagen`);
  const first = { succeeded: 1, warnings: 0, failed: 3, cancelled: 1, skipped: 1 };
  const second = { ...NONE, succeeded: 1, warnings: 1 };
  assert.deepEqual(local, {
    timezone: "Europe/Copenhagen",
    from: "2026-03-27",
    to: "2026-03-29",
    days: [
      { date: "2026-03-27", ...NONE },
      { date: "2026-03-28", ...first },
      { date: "2026-03-29", ...second },
    ],
    totals: { succeeded: 2, warnings: 1, failed: 3, cancelled: 1, skipped: 1 },
  });
  const nepal = await days(client, `?from=2026-03-29&to=2026-03-29&timezone=Asia/Kathmandu`);
  assert.equal(nepal.totals.succeeded, 2, "the offset of Nepal is 5:45");
  await client.call("PUT", "/api/user", { timezone: "Pacific/Auckland" });
  const own = await days(client, `?${range}`);
  assert.deepEqual([own.timezone, own.days[2].succeeded], ["Pacific/Auckland", 2]);
});

Deno.test("the year survives the deletion of logs, tasks and servers, and later reports of lost runs count", async () => {
  await using api = await testApi();
  const { clock, database, services } = api;
  const client = await api.user();
  const server = await newServer(client);
  const task = await newTask(client, { remote_server_id: server });
  const other = await newTask(client);
  const run = await newRun(database, task, clock.now(), { state: "running" });
  await newRun(database, other, clock.now());
  await database`update runs set state = 'lost', finished_at = ${clock.now()}, deadline_at = null where id = ${run}`;
  const counts = async (query = "") => (await days(client, query)).totals;
  assert.deepEqual(await counts(), { ...NONE, succeeded: 1, failed: 1 });
  await deleteExpiredRows(services);
  await database`update runs set state = 'succeeded', warnings_count = 1 where id = ${run}`;
  assert.deepEqual(await counts(), { ...NONE, succeeded: 1, warnings: 1 });
  await Promise.all([deleteExpiredRows(services), deleteExpiredRows(services)]);
  assert.deepEqual(await counts(), { ...NONE, succeeded: 1, warnings: 1 });
  assert.equal((await database`select from run_history_changes`).length, 0);
  assert.equal((await client.call("DELETE", `/api/backup-task-logs/${run}`)).status, 200);
  await client.call("DELETE", `/api/backup-tasks/${task}`);
  await client.call("DELETE", `/api/remote-servers/${server}`);
  assert.deepEqual(await counts(), { ...NONE, succeeded: 1, warnings: 1 });
  assert.deepEqual(await counts(`?backup_task_id=${task}`), { ...NONE, warnings: 1 });
  assert.deepEqual(await counts(`?remote_server_id=${server}`), { ...NONE, warnings: 1 });

  const stranger = await api.user();
  assert.deepEqual((await days(stranger, `?backup_task_id=${task}`)).totals, NONE);
  await clock.advance(402 * 24 * 3_600_000);
  await deleteExpiredRows(services);
  assert.equal((await database`select from run_history`).length, 0);
});

Deno.test("the numbers of a deleted workspace are deleted", async () => {
  await using api = await testApi();
  const client = await api.user();
  await newRun(api.database, await newTask(client), api.clock.now());
  await deleteExpiredRows(api.services);
  await newRun(api.database, await newTask(client), api.clock.now());
  await api.database`delete from users where id = ${client.userId}`;
  await deleteExpiredRows(api.services);
  assert.equal((await api.database`select from run_history_with_changes`).length, 0);
});

Deno.test("a range is a year until today, and a wrong one is refused by its field", async () => {
  await using api = await testApi();
  const client = await api.user();
  const year = await days(client);
  assert.equal(year.days.length, 365);
  assert.equal(year.days.at(-1).date, api.clock.now().toISOString().slice(0, 10));
  assert.equal((await days(client, "?from=2025-01-01&to=2026-02-04")).days.length, 400);
  const refused = async (query: string) => {
    const { body, status } = await client.call("GET", `/api/history/days?${query}`);
    assert.equal(status, 422, query);
    return body.errors;
  };
  assert.deepEqual(await refused("from=2026-01-02&to=2026-01-01"), {
    from: ["The from field must be a day before to, or the same day."],
  });
  assert.deepEqual(await refused("from=2025-01-01&to=2026-02-05"), {
    from: ["The from field must be at most 400 days before to."],
  });
  assert.deepEqual(await refused("from=2026-02-30"), {
    from: ["The from field must be a day such as 2026-01-31."],
  });
  assert.deepEqual(Object.keys(await refused("timezone=Nowhere/City")), ["timezone"]);
  assert.deepEqual(Object.keys(await refused("backup_task_id=1&remote_server_id=1")), ["remote_server_id"]);
});
