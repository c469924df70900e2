import assert from "node:assert/strict";
import { emptyDatabase } from "../../../tests/support/fixtures/database.ts";
import { systemClock } from "../../domain/clock.ts";
import { findingsOfSuspicion } from "../../domain/guards/finding.ts";
import { migrate, readMigrations } from "../database/migrate.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const RISE = "Possible ransomware: the data compresses much worse; 97 % of it";
const SHRUNK = "It shrank to less than half of the last 3 backups' median: 1 files (median 3)";

Deno.test("a migration moves actions and suspicions of each guard into guards and findings", async () => {
  await using db = await emptyDatabase();
  const { database: sql } = db;
  const migrations = await readMigrations(new URL("../../../migrations", import.meta.url).pathname);
  const before = migrations.findIndex(({ name }) => name.endsWith("_guard_findings"));
  await migrate(sql, migrations.slice(0, before), systemClock);
  const stamps = { created_at: AT, updated_at: AT };
  const owned = { user_id: 1, ...stamps };
  await sql`insert into users ${sql({ name: "Ada", email: "a@example.test", ...stamps })}`;
  await sql`insert into remote_servers ${sql({ label: "web", ip_address: "192.0.2.1", ...owned })}`;
  await sql`insert into backup_destinations ${sql({ label: "disk", type: "local", ...owned })}`;
  const actions = [["warn", "warn"], ["fail", "warn"], ["ignore", "fail"]] as const;
  for (const [on_shrink, on_incompressible] of actions) {
    const task = { label: "t", type: "files", source_path: "/", timezone: "UTC", frequency: "daily" };
    const rest = { time_to_run_at: "01:00", remote_server_id: 1, backup_destination_id: 1 };
    await sql`insert into backup_tasks ${sql({ ...task, ...rest, on_shrink, on_incompressible, ...owned })}`;
  }
  const suspicions = [null, RISE, SHRUNK, `${RISE}; ${SHRUNK}`];
  for (const suspicion of suspicions) {
    await sql`insert into backups ${
      sql({
        user_id: 1,
        backup_destination_id: 1,
        directory: "/",
        file_name: "a",
        size: 1,
        sha256: "0".repeat(64),
        engine: "tar",
        encrypted: false,
        encryption: "none",
        bytes_read: 1,
        warnings_count: 0,
        duration_ms: 1,
        suspicious_at: suspicion && AT,
        suspicion,
        created_at: AT,
      })
    }`;
  }
  await migrate(sql, migrations.slice(0, before + 1), systemClock);

  const tasks = await sql`select guards, on_shrink, on_incompressible from backup_tasks order by id`;
  assert.deepEqual(tasks.map(({ guards }) => guards), [
    {},
    { shrink: "fail", incompressible: "warn" },
    { shrink: "ignore", incompressible: "fail" },
  ]);
  // A control plane of the previous version still reads and writes the old columns.
  const actionsOf = () => sql`select guards, on_shrink, on_incompressible from backup_tasks order by id`;
  assert.deepEqual(tasks.map((task) => [task.on_shrink, task.on_incompressible]), actions);
  await sql`update backup_tasks set on_shrink = 'fail', label = 'older' where id = 1`;
  const task = { label: "n", type: "files", source_path: "/", timezone: "UTC", frequency: "daily" };
  const rest = { time_to_run_at: "01:00", remote_server_id: 1, backup_destination_id: 1, ...owned };
  await sql`insert into backup_tasks ${sql({ ...task, ...rest, on_shrink: "ignore" })}`;
  await sql`insert into backup_tasks ${sql({ ...task, ...rest })}`;
  await sql`insert into backup_tasks ${sql({ ...task, ...rest, guards: sql.json({ too_long: "fail" }) })}`;
  await sql`update backup_tasks set guards = guards || '{"incompressible": "ignore"}' where id = 3`;
  assert.deepEqual([...await actionsOf()], [
    { guards: { shrink: "fail", incompressible: "warn" }, on_shrink: "fail", on_incompressible: "warn" },
    { guards: { shrink: "fail", incompressible: "warn" }, on_shrink: "fail", on_incompressible: "warn" },
    {
      guards: { shrink: "ignore", incompressible: "ignore" },
      on_shrink: "ignore",
      on_incompressible: "ignore",
    },
    { guards: { shrink: "ignore", incompressible: "warn" }, on_shrink: "ignore", on_incompressible: "warn" },
    { guards: {}, on_shrink: "warn", on_incompressible: "warn" },
    { guards: { too_long: "fail" }, on_shrink: "warn", on_incompressible: "warn" },
  ]);
  const backups = await sql`select findings, suspicion from backups order by id`;
  assert.deepEqual(backups.map(({ suspicion }) => suspicion), suspicions);
  assert.deepEqual(backups.map(({ findings }) => findings), suspicions.map(findingsOfSuspicion));
});
