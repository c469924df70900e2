/**
 * Tests the migrations that make the database record runs, stored bytes and connections. Each test applies
 * one of these migrations to a database that has only the migrations before it.
 */
import assert from "node:assert/strict";
import { emptyDatabase, type TestDatabase } from "../../../tests/support/fixtures/database.ts";
import { newBackup, newRun } from "../../../tests/support/fixtures/records.ts";
import { systemClock } from "../../domain/clock.ts";
import { migrate, readMigrations } from "../database/migrate.ts";
import { countRunsByDay, mergeRunHistory } from "./run_history.ts";
import { storageHistoryStart, sumStorageByDay } from "./storage_history.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const DAY = [new Date("2026-01-02T00:00:00Z"), new Date("2026-01-03T00:00:00Z")];

/** A database that contains a task. A certain migration is not applied yet. */
interface OlderDatabase extends TestDatabase {
  /** Applies the migration. */
  upgrade(): Promise<void>;
}

async function databaseBefore(name: string): Promise<OlderDatabase> {
  const db = await emptyDatabase();
  const { database: sql } = db;
  const migrations = await readMigrations(new URL("../../../migrations", import.meta.url).pathname);
  const before = migrations.findIndex((each) => each.name.endsWith(name));
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
  return {
    ...db,
    upgrade: () => migrate(sql, migrations.slice(0, before + 1), systemClock).then(() => {}),
  };
}

Deno.test("runs of the version before are counted, and so are the runs that it ends after the migration", async () => {
  await using db = await databaseBefore("_run_history");
  const { database: sql } = db;
  await newRun(sql, 1, AT);
  await newRun(sql, 1, AT, { warnings_count: 1 });
  await newRun(sql, 1, AT, { state: "failed" });
  await newRun(sql, 1, AT, { state: "cancelled" });
  await newRun(sql, 1, AT, { kind: "drill" });
  await newRun(sql, 1, new Date("2026-01-03T00:00:00Z"));
  const active = await newRun(sql, 1, AT, { state: "running" });
  await sql`insert into skipped_schedules (backup_task_id, due_at, created_at) values (1, ${AT}, ${AT})`;
  await db.upgrade();

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
  // A control plane of the previous version is still running. It ends the run and skips a due time.
  await sql`update runs set state = 'succeeded', finished_at = ${AT}, deadline_at = null where id = ${active}`;
  await sql`insert into skipped_schedules (backup_task_id, due_at, created_at)
    values (1, ${new Date(AT.getTime() + 60_000)}, ${AT})`;
  assert.deepEqual(await counts(), { ...known, succeeded: 2, skipped: 2 });
  await mergeRunHistory(sql);
  assert.deepEqual(await counts(), { ...known, succeeded: 2, skipped: 2 });
});

Deno.test("backups of the version before are stored, and those that are gone were added", async () => {
  await using db = await databaseBefore("_storage_history");
  const { database: sql } = db;
  const kept = await newRun(sql, 1, AT, { bytes_written: 100 });
  await newBackup(sql, 1, AT, { size: 100, run_id: kept });
  await newRun(sql, 1, AT, { bytes_written: 40 });
  await newRun(sql, 1, AT, { bytes_written: 7, state: "failed" });
  const old = await newBackup(sql, 1, new Date("2025-12-31T00:00:00Z"), { size: 2 });
  await db.upgrade();
  const sums = () => sumStorageByDay(sql, 1, { scope: "task", id: 1 }, DAY);
  const before = { day: -1, added_count: 1, added_bytes: 2, removed_count: 0, removed_bytes: 0 };
  const known = { day: 0, added_count: 2, added_bytes: 140, removed_count: 1, removed_bytes: 40 };
  assert.deepEqual([...await sums()].sort((a, b) => a.day - b.day), [before, known]);
  assert.ok(await storageHistoryStart(sql, 1) !== null);
  // A control plane of the previous version is still running. It stores one backup and removes another one.
  await newBackup(sql, 1, AT, { size: 3 });
  await sql`update backups set removal_requested_at = ${AT}, removal_reason = 'request', removal_begun_at = ${AT}
    where id = ${old}`;
  await sql`delete from backups where id = ${old}`;
  assert.deepEqual([...await sums()].sort((a, b) => a.day - b.day), [before, {
    day: 0,
    added_count: 3,
    added_bytes: 143,
    removed_count: 2,
    removed_bytes: 42,
  }]);
});

Deno.test("agents that are connected during the migration stay so, until the version before disconnects them", async () => {
  await using db = await databaseBefore("_server_connections");
  const { database: sql } = db;
  const replica = crypto.randomUUID();
  await sql`insert into replicas (id, started_at, heartbeat_at) values (${replica}, ${AT}, ${AT})`;
  await sql`update remote_servers set connection_id = ${replica}, connection_replica_id = ${replica}, connected_at = ${AT}`;
  await db.upgrade();
  const recorded = () => sql`select connected_at, disconnected_at from server_connections order by id`;
  assert.deepEqual([...await recorded()], [{ connected_at: AT, disconnected_at: null }]);
  const later = new Date(AT.getTime() + 3_600_000);
  await sql`update remote_servers set connection_id = null, connection_replica_id = null, last_connected_at = ${later}`;
  assert.deepEqual([...await recorded()], [{ connected_at: AT, disconnected_at: later }]);
  const again = new Date(later.getTime() + 60_000);
  await sql`update remote_servers set connection_id = ${replica}, connected_at = ${again}, last_connected_at = ${again}`;
  assert.equal((await recorded()).length, 2);
});
