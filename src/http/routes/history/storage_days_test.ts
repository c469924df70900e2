import assert from "node:assert/strict";
import { newBackup, newDestination, newTask } from "../../../../tests/support/fixtures/records.ts";
import { type ApiClient, testApi } from "../../../../tests/support/clients/api.ts";
import type { Database } from "../../../store/database/sql.ts";
import { deleteExpiredRows } from "../../../services/installation/housekeeping.ts";

const DAY = 24 * 3_600_000;

async function storage(client: ApiClient, query = "") {
  const { body, status } = await client.call("GET", `/api/history/storage${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.data;
}

/** Returns when the test's database began to record removals. */
async function migratedAt(database: Database): Promise<string> {
  const [row] = await database<{ at: Date }[]>`
    select applied_at as at from schema_migrations where name like '%_storage_history'`;
  return `${row!.at.toISOString().slice(0, 19)}Z`;
}

Deno.test("stored bytes are shown as they were on each day, also of backups that are gone", async () => {
  await using api = await testApi();
  const { clock, database, services } = api;
  const client = await api.user();
  const destination = await newDestination(client);
  const task = await newTask(client, { backup_destination_id: destination });
  const other = await newTask(client);
  const start = new Date("2026-03-01T12:00:00Z");
  const day = (number: number) => new Date(start.getTime() + number * DAY);
  const first = await newBackup(database, task, day(0), { size: 1000 });
  await newBackup(database, task, day(1), { size: 300 });
  await newBackup(database, other, day(1), { size: 5 });
  const forgotten = await newBackup(database, task, day(1), { size: 20 });
  await database`
    update backups set removal_requested_at = ${day(2)}, removal_reason = 'request', removal_begun_at = ${
    day(3)
  }
    where id in (${first}, ${forgotten})`;
  await database`delete from backups where id in (${first}, ${forgotten})`;
  const range = "from=2026-03-01&to=2026-03-05&timezone=UTC";
  const lines = async (query = "") => {
    const { days } = await storage(client, `?${range}${query}`);
    return days.map((each: Record<string, unknown>) => Object.values(each).slice(1));
  };
  const all = [
    [1000, 1, 1000, 0],
    [1325, 4, 325, 0],
    [1325, 4, 0, 0],
    [305, 2, 0, 1020],
    [305, 2, 0, 0],
  ];
  assert.deepEqual(await lines(), all);
  assert.deepEqual((await lines(`&backup_task_id=${other}`)).at(-1), [5, 1, 0, 0]);
  assert.deepEqual((await lines(`&backup_destination_id=${destination}`)).at(-1), [300, 1, 0, 0]);
  await Promise.all([deleteExpiredRows(services), deleteExpiredRows(services)]);
  assert.equal((await database`select from storage_history_changes`).length, 0);
  assert.deepEqual(await lines(), all);
  const later = await storage(client, "?from=2026-03-03&to=2026-03-03&timezone=UTC");
  assert.deepEqual([later.days[0].stored_bytes, later.exact_since], [
    1325,
    await migratedAt(database),
  ]);

  await clock.advance(start.getTime() + 20_000 * DAY - clock.now().getTime());
  await newBackup(database, other, clock.now(), { size: 7 });
  await deleteExpiredRows(services);
  await deleteExpiredRows(services);
  const [kept] = await database`select count(*) as rows from storage_history`;
  assert.equal(kept!.rows, 5 + 3, "one row of each scope remains of old days");
  const { days, exact_since } = await storage(client);
  assert.equal(exact_since, null, "every day of this range is after the migration");
  assert.deepEqual([days[0].stored_bytes, days.at(-1).stored_bytes, days.at(-1).backups_count], [
    305,
    312,
    3,
  ]);
  assert.deepEqual((await storage(await api.user(), `?backup_task_id=${task}`)).days.at(-1).stored_bytes, 0);
});

Deno.test("what is stored now is the size of all backups, whoever deleted what", async () => {
  await using api = await testApi();
  const { clock, database, services } = api;
  const client = await api.user();
  const task = await newTask(client);
  for (let count = 0; count < 5; count++) await newBackup(database, task, clock.now(), { size: 100 });
  await client.call("DELETE", `/api/backup-tasks/${task}`);
  await database`
    update backups set removal_requested_at = ${clock.now()}, removal_reason = 'request', removal_begun_at = ${clock.now()}`;
  await database`delete from backups where id in (select id from backups limit 2)`;
  assert.equal((await storage(client)).days.at(-1).stored_bytes, 300);
  await deleteExpiredRows(services);
  await database`delete from users where id = ${client.userId}`;
  await deleteExpiredRows(services);
  assert.equal((await database`select from storage_history_with_changes`).length, 0);
});

Deno.test("a task and a destination together are refused", async () => {
  await using api = await testApi();
  const { body, status } = await (await api.user()).call(
    "GET",
    "/api/history/storage?backup_task_id=1&backup_destination_id=1",
  );
  assert.deepEqual([status, Object.keys(body.errors)], [422, ["backup_destination_id"]]);
});
