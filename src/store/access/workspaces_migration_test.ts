import assert from "node:assert/strict";
import { emptyDatabase } from "../../../tests/support/fixtures/database.ts";
import { ABILITIES } from "../../domain/abilities.ts";
import { systemClock } from "../../domain/clock.ts";
import { migrate, readMigrations } from "../database/migrate.ts";
import type { Sql } from "../database/sql.ts";
import { findCaller } from "./tokens.ts";
import { deleteUser } from "./users.ts";
import { ownWorkspace } from "./workspaces.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const TIMES = { created_at: AT, updated_at: AT };
const TABLES = [
  "tokens",
  "tags",
  "notification_streams",
  "remote_servers",
  "backup_destinations",
  "scripts",
  "backup_tasks",
  "runs",
  "backups",
  "alerts",
];

async function insertUser(sql: Sql, name: string): Promise<number> {
  const [row] = await sql<{ id: number }[]>`
    insert into users ${sql({ name, email: `${name}@example.test`, ...TIMES })} returning id`;
  return row!.id;
}

/** Inserts a record without a workspace into each table, as a control plane of the previous version does. */
async function insertRecords(sql: Sql, user_id: number): Promise<{ taskId: number; serverId: number }> {
  const one = async (table: string, row: Record<string, unknown>) => {
    const [made] = await sql<{ id: number }[]>`insert into ${sql(table)} ${
      sql({ user_id, ...row })
    } returning id`;
    return made!.id;
  };
  await one("tokens", { name: "t", abilities: ["manage-tags"], token_hash: crypto.randomUUID(), ...TIMES });
  await one("tags", { label: "t", ...TIMES });
  await one("notification_streams", { label: "s", type: "email", value_encrypted: "x", ...TIMES });
  const address = `host-${crypto.randomUUID()}`;
  const remote_server_id = await one("remote_servers", { label: "web", ip_address: address, ...TIMES });
  const backup_destination_id = await one("backup_destinations", { label: "d", type: "local", ...TIMES });
  await one("scripts", {
    label: "s",
    type: "prescript",
    script: "true",
    timeout_seconds: 1,
    on_failure: "fail",
    ...TIMES,
  });
  const at = { remote_server_id, backup_destination_id };
  const backup_task_id = await one("backup_tasks", {
    ...at,
    label: "t",
    type: "files",
    source_path: "/",
    timezone: "UTC",
    frequency: "daily",
    time_to_run_at: "01:00",
    ...TIMES,
  });
  await one("runs", {
    ...at,
    backup_task_id,
    kind: "backup",
    trigger: "manual",
    state: "failed",
    reason: "x",
    created_at: AT,
    finished_at: AT,
  });
  await one("backups", {
    ...at,
    backup_task_id,
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
    created_at: AT,
  });
  const subject = `task ${backup_task_id} ${crypto.randomUUID()}`;
  await one("alerts", {
    kind: "backup.failing",
    subject,
    backup_task_id,
    opened_at: AT,
    last_occurred_at: AT,
  });
  return { taskId: backup_task_id, serverId: remote_server_id };
}

/** Counts the records of all tables, for each pair of a workspace and a user. */
async function owners(sql: Sql): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of TABLES) {
    for (const row of await sql`select workspace_id, user_id from ${sql(table)}`) {
      const key = `${row.workspace_id} by ${row.user_id}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
  }
  return counts;
}

Deno.test("a migration gives every user a workspace with their records, and control planes of the version before go on", async () => {
  await using db = await emptyDatabase();
  const { database: sql } = db;
  const migrations = await readMigrations(new URL("../../../migrations", import.meta.url).pathname);
  const before = migrations.findIndex(({ name }) => name.endsWith("_workspaces"));
  await migrate(sql, migrations.slice(0, before), systemClock);
  const [, ada, grace] = [
    await insertUser(sql, "None"),
    await insertUser(sql, "Ada"),
    await insertUser(sql, "Grace"),
  ];
  await sql`delete from users where name = 'None'`;
  await insertRecords(sql, grace);
  await insertRecords(sql, ada);
  await migrate(sql, migrations.slice(0, before + 1), systemClock);

  const [adas, graces] = [await ownWorkspace(sql, ada), await ownWorkspace(sql, grace)];
  assert.deepEqual([ada, adas, grace, graces], [2, 1, 3, 2]);
  const workspaces = await sql`select id, name, user_id from workspaces order by id`;
  assert.deepEqual([...workspaces], [
    { id: adas, name: "Ada", user_id: ada },
    { id: graces, name: "Grace", user_id: grace },
  ]);
  const members = await sql`select workspace_id, user_id, role from workspace_members order by workspace_id`;
  assert.deepEqual([...members], [
    { workspace_id: adas, user_id: ada, role: "manager" },
    { workspace_id: graces, user_id: grace, role: "manager" },
  ]);
  assert.deepEqual(await owners(sql), { [`${adas} by ${ada}`]: 10, [`${graces} by ${grace}`]: 10 });

  // A control plane of the version before the migration inserts records. They get the own workspace of their
  // user, even if that control plane has created the user after the migration.
  await insertRecords(sql, ada);
  const linus = await insertUser(sql, "Linus");
  const { taskId } = await insertRecords(sql, linus);
  const linuses = await ownWorkspace(sql, linus);
  assert.deepEqual(await owners(sql), {
    [`${adas} by ${ada}`]: 20,
    [`${graces} by ${grace}`]: 10,
    [`${linuses} by ${linus}`]: 10,
  });
  // A run of a task belongs to the task's workspace, even if a user of another workspace has created it.
  await sql`
    insert into runs (user_id, backup_task_id, kind, trigger, state, created_at, finished_at)
    values (${ada}, ${taskId}, 'backup', 'manual', 'succeeded', ${AT}, ${AT})`;
  const counts = () =>
    sql`select workspace_id, user_id, sum(runs)::integer as runs from workspace_run_counts group by 1, 2 order by 1, 2`;
  const expected = [
    { workspace_id: adas, user_id: ada, runs: 2 },
    { workspace_id: graces, user_id: grace, runs: 1 },
    { workspace_id: linuses, user_id: ada, runs: 1 },
    { workspace_id: linuses, user_id: linus, runs: 1 },
  ];
  assert.deepEqual([...await counts()], expected);
  // A control plane that was not updated yet still uses `run_counts`. There it can read how many runs a user
  // has. If it changes `run_counts`, the counts of the workspaces do not change.
  const [old] = await sql`select sum(runs)::integer as runs from run_counts where user_id = ${ada}`;
  assert.equal(old!.runs, 3);
  await sql`
    with taken as (delete from run_counts where user_id = ${ada} returning user_id, span, runs)
    insert into run_counts (user_id, span, runs) select user_id, span, sum(runs) from taken group by user_id, span`;
  assert.deepEqual([...await counts()], expected);
});

Deno.test("a deleted user leaves the records of shared workspaces to another member, a manager if there is one", async () => {
  await using db = await emptyDatabase();
  const { database: sql } = db;
  const migrations = await readMigrations(new URL("../../../migrations", import.meta.url).pathname);
  await migrate(sql, migrations, systemClock);
  const ada = await insertUser(sql, "Ada");
  const viewer = await insertUser(sql, "Viewer");
  const manager = await insertUser(sql, "Manager");
  await insertRecords(sql, ada);
  const own = await ownWorkspace(sql, ada);
  const [shared] = await sql<{ id: number }[]>`
    insert into workspaces ${sql({ name: "Shared", ...TIMES })} returning id`;
  const add = (user_id: number, role: string) =>
    sql`insert into workspace_members ${sql({ workspace_id: shared!.id, user_id, role, created_at: AT })}`;
  await add(ada, "manager");
  await add(viewer, "viewer");
  await add(manager, "manager");
  const tag = { label: "shared", user_id: ada, workspace_id: shared!.id, ...TIMES };
  await sql`insert into tags ${sql(tag)}`;
  await deleteUser(sql, ada);
  assert.deepEqual(await owners(sql), { [`${shared!.id} by ${manager}`]: 1 });
  assert.equal((await sql`select from workspaces where id = ${own}`).length, 0);
  await deleteUser(sql, manager);
  await deleteUser(sql, viewer);
  assert.deepEqual(await owners(sql), {});
  assert.equal((await sql`select from workspaces`).length, 0);
});

Deno.test("tokens of the version before go on working, and get the new abilities if they had all others", async () => {
  await using db = await emptyDatabase();
  const { database: sql } = db;
  const migrations = await readMigrations(new URL("../../../migrations", import.meta.url).pathname);
  const before = migrations.findIndex(({ name }) => name.endsWith("_workspaces"));
  await migrate(sql, migrations.slice(0, before), systemClock);
  const user_id = await insertUser(sql, "Ada");
  const added = ["view-tags", "pause-backup-tasks", "manage-workspace"];
  const all = ABILITIES.filter((ability) => !added.includes(ability));
  const [none, most] = [["manage-tags"], all.filter((ability) => ability !== "delete-backups")];
  const add = (token_hash: string, abilities: readonly string[]) =>
    sql`insert into tokens ${sql({ user_id, name: "t", abilities: [...abilities], token_hash, ...TIMES })}`;
  await add("all", all);
  await add("user", all.filter((ability) => ability !== "admin"));
  await add("most", most);
  await add("none", none);
  await migrate(sql, migrations, systemClock);
  const rows = await sql<{ abilities: string[] }[]>`select abilities from tokens order by id`;
  assert.deepEqual(rows.map(({ abilities }) => [...abilities].sort()), [
    [...ABILITIES].sort(),
    ABILITIES.filter((ability) => ability !== "admin").sort(),
    [...most].sort(),
    none,
  ]);
  const caller = await findCaller(sql, "none");
  assert.deepEqual([caller!.role, caller!.workspace_id], ["manager", await ownWorkspace(sql, user_id)]);
});
