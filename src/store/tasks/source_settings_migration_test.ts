/** Tests the migration of the source fields of tasks. The database comes from the previous version. */
import assert from "node:assert/strict";
import { emptyDatabase, type TestDatabase, testDatabase } from "../../../tests/support/fixtures/database.ts";
import { sourceValues } from "../../definitions/task_source_fields.ts";
import { systemClock } from "../../domain/clock.ts";
import { migrate, readMigrations } from "../database/migrate.ts";
import { countSealed, replaceSealed, sealedColumns } from "../database/sealed_columns.ts";
import { type BackupTaskRow, findBackupTask } from "./backup_tasks.ts";

const AT = new Date("2026-01-02T03:04:05Z");

/** The columns that the previous version of the control plane uses, and this version does not. */
const OLDER = [
  "source_path",
  "excluded_paths",
  "allow_unreadable",
  "database_name",
  "database_host",
  "database_port",
  "database_username",
  "database_password_encrypted",
  "database_format",
  "excluded_database_tables",
] as const;

const SERVER = {
  type: "database",
  database_type: "postgresql",
  database_name: '"a,b",shop',
  database_host: "db.example",
  database_port: 5433,
  database_username: "u",
  database_password_encrypted: "v1:aaaa0000:p",
  database_format: "plain",
  excluded_database_tables: "logs,cache",
};

/** Inserts the owner of tasks, and returns a function that inserts tasks. */
async function owner({ database: sql }: TestDatabase) {
  const stamps = { created_at: AT, updated_at: AT };
  const owned = { user_id: 1, ...stamps };
  await sql`insert into users ${sql({ name: "Ada", email: "a@example.test", ...stamps })}`;
  await sql`insert into remote_servers ${sql({ label: "web", ip_address: "192.0.2.1", ...owned })}`;
  await sql`insert into backup_destinations ${sql({ label: "disk", type: "local", ...owned })}`;
  const task = {
    remote_server_id: 1,
    backup_destination_id: 1,
    label: "t",
    timezone: "UTC",
    frequency: "daily",
    time_to_run_at: "01:00",
    ...owned,
  };
  return (row: Record<string, unknown>) => sql`insert into backup_tasks ${sql({ ...task, ...row })}`;
}

async function stored({ database: sql }: TestDatabase) {
  const rows = await sql`select source_settings, source_secrets from backup_tasks order by id`;
  return rows.map(({ source_settings, source_secrets }) => [source_settings, source_secrets]);
}

Deno.test("a migration moves the fields of sources into settings and secrets", async () => {
  await using db = await emptyDatabase();
  const { database: sql } = db;
  const migrations = await readMigrations(new URL("../../../migrations", import.meta.url).pathname);
  const before = migrations.findIndex(({ name }) => name.endsWith("_source_settings"));
  await migrate(sql, migrations.slice(0, before), systemClock);
  const add = await owner(db);
  await add({ type: "files", source_path: "/srv" });
  await add({
    type: "files",
    source_path: '/srv/"ü"\\',
    excluded_paths: ["*.tmp", "", 'a,"b"', "null"],
    allow_unreadable: true,
  });
  await add(SERVER);
  await add({ type: "database", database_type: "sqlite", database_name: "/a.db", source_path: "/srv" });
  await add({ type: "control_plane", isolated_password_encrypted: "v1:bbbb0000:i" });
  const names = sql([...OLDER]);
  const old = await sql`select ${names} from backup_tasks order by id`;
  const sealed = await countSealed(sql);
  await migrate(sql, migrations.slice(0, before + 1), systemClock);

  const { type: _, database_type: __, database_password_encrypted: password, ...settings } = SERVER;
  assert.deepEqual(await stored(db), [
    [{ source_path: "/srv" }, {}],
    [
      { source_path: '/srv/"ü"\\', excluded_paths: ["*.tmp", "", 'a,"b"', "null"], allow_unreadable: true },
      {},
    ],
    [settings, { database_password: password }],
    [{ database_name: "/a.db", source_path: "/srv" }, {}],
    [{}, {}],
  ]);
  assert.deepEqual(await countSealed(sql), sealed, "every sealed value is counted, once");
  // A control plane of the previous version might still be running and reading the old columns. So the
  // migration must leave them unchanged.
  assert.deepEqual([...await sql`select ${names} from backup_tasks order by id`], [...old]);
  const rows = await sql<BackupTaskRow[]>`select * from backup_tasks order by id`;
  for (const [index, row] of rows.entries()) {
    const { database_password, ...values } = sourceValues(row) as Record<string, unknown>;
    const { database_password_encrypted, ...expected } = old[index]!;
    assert.equal(database_password, database_password_encrypted);
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(values[name], value, name);
  }
});

Deno.test("a control plane of the version before can add and change tasks, and replace keys, during an update", async () => {
  await using db = await testDatabase();
  const { database: sql } = db;
  const add = await owner(db);
  await add({ type: "files", source_path: "/a", excluded_paths: ["x"] });
  await add(SERVER);
  await add({
    type: "files",
    source_settings: { source_path: "/new", excluded_paths: ["y"], of_a_newer_type: 1 },
    source_secrets: { database_password: "v1:aaaa0000:n", of_a_newer_type: "v1:aaaa0000:t" },
  });
  await add({ type: "control_plane" });
  const older = async () => [...await sql`select ${sql([...OLDER])} from backup_tasks order by id`];
  const none = {
    source_path: null,
    excluded_paths: [],
    allow_unreadable: false,
    database_name: null,
    database_host: null,
    database_port: null,
    database_username: null,
    database_password_encrypted: null,
    database_format: "custom",
    excluded_database_tables: null,
  };
  const { type: _, database_type: __, ...server } = SERVER;
  const { database_password_encrypted: password, ...settings } = server;
  assert.deepEqual(await older(), [
    { ...none, source_path: "/a", excluded_paths: ["x"] },
    { ...none, ...server },
    { ...none, source_path: "/new", excluded_paths: ["y"], database_password_encrypted: "v1:aaaa0000:n" },
    none,
  ]);
  assert.deepEqual((await stored(db)).slice(0, 2), [
    [{ source_path: "/a", excluded_paths: ["x"] }, {}],
    [settings, { database_password: password }],
  ]);

  await sql`update backup_tasks set excluded_paths = '{}', allow_unreadable = true where id = 1`;
  await sql`
    update backup_tasks set database_host = null, database_format = 'custom', database_password_encrypted = null
    where id = 2`;
  await sql`update backup_tasks set source_path = '/newer', excluded_paths = '{z}' where id = 3`;
  await sql`update backup_tasks set label = 'renamed'`;
  const { database_host: ___, database_format: ____, ...left } = settings;
  assert.deepEqual(await stored(db), [
    [{ source_path: "/a", allow_unreadable: true }, {}],
    [left, {}],
    [
      { source_path: "/newer", excluded_paths: ["z"], of_a_newer_type: 1 },
      { database_password: "v1:aaaa0000:n", of_a_newer_type: "v1:aaaa0000:t" },
    ],
    [{}, {}],
  ]);

  // Both versions of the control plane can replace keys. The previous version encrypts the value in the old
  // column again. This version encrypts the value in `source_secrets` again.
  await sql`update backup_tasks set database_password_encrypted = 'v1:bbbb0000:n' where id = 3`;
  assert.deepEqual([...await countSealed(sql)].sort(), [["aaaa0000", 1], ["bbbb0000", 1]]);
  const column = (await sealedColumns(sql)).find(({ column }) => column === "source_secrets")!;
  assert.deepEqual(column, { table: "backup_tasks", column: "source_secrets", isObject: true });
  const pairs = [["v1:aaaa0000:t", "v1:cccc0000:t"], ["v1:bbbb0000:n", "v1:cccc0000:n"]] as const;
  assert.equal(await replaceSealed(sql, column, pairs), 1);
  const { source_secrets } = (await findBackupTask(sql, 3))!;
  assert.deepEqual(source_secrets, { database_password: "v1:cccc0000:n", of_a_newer_type: "v1:cccc0000:t" });
  assert.equal((await older())[2]!.database_password_encrypted, "v1:cccc0000:n");
});

Deno.test("a new type's own setting and secret need no column", async () => {
  await using db = await testDatabase();
  const add = await owner(db);
  const secrets = { redis_password: "v1:aaaa0000:r" };
  await add({ type: "redis", source_settings: { redis_socket: "/run/redis" }, source_secrets: secrets });
  assert.deepEqual(await stored(db), [[{ redis_socket: "/run/redis" }, secrets]]);
  assert.deepEqual([...await countSealed(db.database)], [["aaaa0000", 1]]);
});
