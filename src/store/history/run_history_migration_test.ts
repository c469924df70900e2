/** Tests the migration that begins to count runs. The database comes from the previous version. */
import assert from "node:assert/strict";
import { emptyDatabase } from "../../../tests/support/fixtures/database.ts";
import { newRun } from "../../../tests/support/fixtures/records.ts";
import { systemClock } from "../../domain/clock.ts";
import { migrate, readMigrations } from "../database/migrate.ts";
import { countRunsByDay, mergeRunHistory } from "./run_history.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const DAY = [new Date("2026-01-02T00:00:00Z"), new Date("2026-01-03T00:00:00Z")];

Deno.test("runs of the version before are counted, and so are the runs that it ends after the migration", async () => {
  await using db = await emptyDatabase();
  const { database: sql } = db;
  const migrations = await readMigrations(new URL("../../../migrations", import.meta.url).pathname);
  const before = migrations.findIndex(({ name }) => name.endsWith("_run_history"));
  await migrate(sql, migrations.slice(0, before), systemClock);
  const stamps = { created_at: AT, updated_at: AT };
  const owned = { user_id: 1, ...stamps };
  await sql`insert into users ${sql({ name: "Ada", email: "a@example.test", ...stamps })}`;
  await sql`insert into remote_servers ${sql({ label: "web", ip_address: "192.0.2.1", ...owned })}`;
  await sql`insert into backup_destinations ${sql({ label: "disk", type: "local", ...owned })}`;
  const task = {
    remote_server_id: 1,
    backup_destination_id: 1,
    label: "t",
    type: "files",
    source_settings: sql.json({ source_path: "/home" }),
    timezone: "UTC",
    frequency: "daily",
    time_to_run_at: "01:00",
    ...owned,
  };
  await sql`insert into backup_tasks ${sql(task)}`;
  await newRun(sql, 1, AT);
  await newRun(sql, 1, AT, { warnings_count: 1 });
  await newRun(sql, 1, AT, { state: "failed" });
  await newRun(sql, 1, AT, { state: "cancelled" });
  await newRun(sql, 1, AT, { kind: "drill" });
  await newRun(sql, 1, new Date("2026-01-03T00:00:00Z"));
  const active = await newRun(sql, 1, AT, { state: "running" });
  await sql`insert into skipped_schedules (backup_task_id, due_at, created_at) values (1, ${AT}, ${AT})`;
  await migrate(sql, migrations.slice(0, before + 1), systemClock);

  const counts = async () => {
    const all = [];
    for (const scope of ["workspace", "server", "task"] as const) {
      all.push(await countRunsByDay(sql, 1, { scope, id: 1 }, DAY));
    }
    const [first, ...others] = all.map((rows) => ({ ...rows[0] }));
    for (const other of others) assert.deepEqual(other, first);
    return first;
  };
  const known = { day: 0, succeeded: 1, warnings: 1, failed: 1, cancelled: 1, skipped: 1 };
  assert.deepEqual(await counts(), known);
  // A control plane of the version before ends the run and skips a due time, while it is still running.
  await sql`update runs set state = 'succeeded', finished_at = ${AT}, deadline_at = null where id = ${active}`;
  await sql`insert into skipped_schedules (backup_task_id, due_at, created_at)
    values (1, ${new Date(AT.getTime() + 60_000)}, ${AT})`;
  assert.deepEqual(await counts(), { ...known, succeeded: 2, skipped: 2 });
  await mergeRunHistory(sql);
  assert.deepEqual(await counts(), { ...known, succeeded: 2, skipped: 2 });
});
