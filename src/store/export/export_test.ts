import assert from "node:assert/strict";
import { isLostConnection } from "../database/lost_connections.ts";
import { shell } from "../../../tests/support/fixtures/backup_run.ts";
import { emptyDatabase, testDatabase } from "../../../tests/support/fixtures/database.ts";
import { fillDatabase, rowsOf } from "../../../tests/support/fixtures/full_database.ts";
import { openDatabase } from "../database/database.ts";
import { EXPORT_END, exportText, ID_GAP } from "./export.ts";
import { readMigrations } from "../database/migrate.ts";

const migrations = await readMigrations(new URL("../../../migrations", import.meta.url));
const AT = new Date("2026-02-03T04:05:06Z");

Deno.test("psql loads an export to the exported rows", async () => {
  await using original = await testDatabase();
  await using made = await emptyDatabase();
  await fillDatabase(original.database);
  const path = await Deno.makeTempFile();
  const pieces: string[] = [];
  for await (const piece of exportText(original.database, migrations, AT)) pieces.push(piece);
  assert.ok(pieces.at(-1)!.endsWith(`commit;\n${EXPORT_END}\n`));
  await Deno.writeTextFile(path, pieces.join(""));
  await shell(
    'psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --output=/dev/null "$1" < "$2"',
    made.url,
    path,
  );
  await Deno.remove(path);
  const before = await rowsOf(original.database);
  const after = await rowsOf(made.database);
  // These are the tables that export_plan.ts leaves out.
  for (
    const table of [
      "replicas",
      "uploads",
      "leftovers",
      "notification_deliveries",
      "run_output",
      "enrolment_tokens",
      "agent_requests",
      "sessions",
      "login_challenges",
      "endpoint_checks",
    ]
  ) {
    assert.ok(before.get(table)!.length > 0, `the test has no row of ${table}`);
    assert.deepEqual(after.get(table), [], table);
    before.delete(table);
    after.delete(table);
  }
  for (const table of ["idempotency_keys", "skipped_schedules"]) before.set(table, []);
  // `workspace_run_counts` is not compared, because triggers write it while the runs are being loaded.
  assert.ok(before.delete("workspace_run_counts"));
  after.delete("workspace_run_counts");
  const wrong = await made.database`
    select workspace_id, count(*) from runs group by workspace_id
    except select workspace_id, sum(runs) from workspace_run_counts group by workspace_id`;
  assert.deepEqual([...wrong], []);
  const unfinished = (row: string) => row.includes('"finished_at": null');
  before.set("runs", before.get("runs")!.filter((row) => !unfinished(row)));
  for (const [table, rows] of before) {
    if (table !== "remote_servers") assert.deepEqual(after.get(table), rows, table);
  }
  const [server] = await made.database`select * from remote_servers where label like 'Zeile%'`;
  assert.equal(server!.connection_id, null);
  assert.equal(server!.connection_replica_id, null);
  const [{ id: last }] = await made.database`select max(id) as id from backups` as unknown as [
    { id: number },
  ];
  const [next] = await made.database`select nextval(pg_get_serial_sequence('backups', 'id')) as id`;
  assert.equal(next!.id, last + ID_GAP + 1);
  const [keys] = await made.database`select count(*) as n from pg_constraint where condeferrable`;
  assert.equal(keys!.n, 0, "foreign keys are as they were");
});

Deno.test("a truncated export loads nothing", async () => {
  await using original = await testDatabase();
  await using made = await emptyDatabase();
  await fillDatabase(original.database);
  const path = await Deno.makeTempFile();
  let text = "";
  for await (const piece of exportText(original.database, migrations, AT)) text += piece;
  await Deno.writeTextFile(path, text.slice(0, text.lastIndexOf("commit;")));
  await shell('psql --no-psqlrc --quiet --output=/dev/null "$1" < "$2"', made.url, path);
  await Deno.remove(path);
  const [tables] = await made.database`select count(*) as n from pg_tables where schemaname = 'public'`;
  assert.equal(tables!.n, 0);
});

Deno.test("an export is a snapshot of one moment, and stopping it early frees its connection", async () => {
  await using original = await testDatabase();
  const { database } = original;
  await fillDatabase(database);
  const text: string[] = [];
  for await (const piece of exportText(database, migrations, AT)) {
    if (text.length === 0) await database`update users set name = 'changed meanwhile'`;
    text.push(piece);
  }
  assert.ok(!text.join("").includes("changed meanwhile"));
  for (let n = 0; n < 25; n++) {
    for await (const _ of exportText(database, migrations, AT)) break;
  }
  const [open] = await database`
    select count(*) as n from pg_stat_activity
    where datname = current_database() and state like 'idle in transaction%'`;
  assert.equal(open!.n, 0);
});

Deno.test("a database of another version is not exported", async () => {
  await using original = await testDatabase();
  await assert.rejects(
    exportText(original.database, migrations.slice(0, -1), AT).next(),
    /^MigrationError: Cannot export the control plane: migration \w+ is not this version's own/,
  );
});

Deno.test("an export whose connection is closed is refused, and leaves the pool as it was", async () => {
  await using original = await testDatabase();
  await fillDatabase(original.database);
  const pool = openDatabase(original.url, { max: 1 });
  const lost = (event: PromiseRejectionEvent) => event.preventDefault();
  globalThis.addEventListener("unhandledrejection", lost);
  try {
    for (let round = 0; round < 3; round++) {
      const pieces = exportText(pool, migrations, AT);
      await pieces.next();
      const rows = await original.database`
        select pg_terminate_backend(pid, 5000) as ended from pg_stat_activity
        where datname = current_database() and state = 'idle in transaction'`;
      assert.equal(rows.length, 1);
      await assert.rejects(async () => {
        for await (const _ of pieces);
      }, isLostConnection);
      assert.equal((await pool`select 1 as one`)[0]!.one, 1);
    }
  } finally {
    await pool.end({ timeout: 1 });
    globalThis.removeEventListener("unhandledrejection", lost);
  }
});
