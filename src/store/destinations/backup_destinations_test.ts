import { ownWorkspace } from "../access/workspaces.ts";
import assert from "node:assert/strict";
import { emptyDatabase, testDatabase } from "../../../tests/support/fixtures/database.ts";
import { systemClock } from "../../domain/clock.ts";
import { migrate, readMigrations } from "../database/migrate.ts";
import {
  countSealed,
  replaceSealed,
  sealedByOthers,
  sealedColumns,
  sealingKeyIds,
} from "../database/sealed_columns.ts";
import { until } from "../../../tests/support/assertions/until.ts";
import { transaction } from "../database/database.ts";
import { insertBackupDestination, listBackupDestinations } from "./backup_destinations.ts";

const AT = new Date("2026-01-02T03:04:05Z");

Deno.test("a migration moves the columns of every type into settings and secrets", async () => {
  await using db = await emptyDatabase();
  const { database: sql } = db;
  const migrations = await readMigrations(new URL("../../../migrations", import.meta.url).pathname);
  const before = migrations.findIndex(({ name }) => name.endsWith("_destination_settings"));
  await migrate(sql, migrations.slice(0, before), systemClock);
  const stamps = { created_at: AT, updated_at: AT };
  await sql`insert into users ${sql({ name: "Ada", email: "a@example.test", ...stamps })}`;
  const bucket = {
    s3_access_key_encrypted: "v1:aaaa0000:access",
    s3_secret_key_encrypted: "v1:aaaa0000:secret",
    s3_bucket_name: "b",
  };
  const columns = [
    { type: "local" },
    { type: "local", local_path: '/srv/"ü"' },
    { type: "s3", ...bucket, s3_region: "eu-central-1" },
    { type: "custom_s3", ...bucket, s3_endpoint: "https://minio:9000", path_style_endpoint: true },
    { type: "sftp", sftp_host: "nas", sftp_username: "u", sftp_password_encrypted: "v1:bbbb0000:p" },
    {
      type: "sftp",
      sftp_host: "nas",
      sftp_port: 2222,
      sftp_username: "u",
      sftp_private_key_encrypted: "v1:bbbb0000:k",
      sftp_host_key: "SHA256:x",
      sftp_path: "backups",
    },
  ];
  for (const row of columns) {
    await sql`insert into backup_destinations ${sql({ user_id: 1, label: row.type, ...row, ...stamps })}`;
  }
  const old = await sql`select * from backup_destinations order by id`;
  const keys = await countSealed(sql);
  await migrate(sql, migrations.slice(0, before + 1), systemClock);

  const stored = await sql`select settings, secrets from backup_destinations order by id`;
  const keyPair = { s3_access_key: "v1:aaaa0000:access", s3_secret_key: "v1:aaaa0000:secret" };
  assert.deepEqual(stored.map(({ settings, secrets }) => [settings, secrets]), [
    [{}, {}],
    [{ local_path: '/srv/"ü"' }, {}],
    [{ s3_bucket_name: "b", s3_region: "eu-central-1", path_style_endpoint: false }, keyPair],
    [{ s3_bucket_name: "b", s3_endpoint: "https://minio:9000", path_style_endpoint: true }, keyPair],
    [{ sftp_host: "nas", sftp_port: 22, sftp_username: "u" }, { sftp_password: "v1:bbbb0000:p" }],
    [
      {
        sftp_host: "nas",
        sftp_port: 2222,
        sftp_username: "u",
        sftp_host_key: "SHA256:x",
        sftp_path: "backups",
      },
      { sftp_private_key: "v1:bbbb0000:k" },
    ],
  ]);
  assert.deepEqual(await countSealed(sql), keys, "every sealed value is counted, once");
  // During an update, a control plane of the previous version might still run and read these columns.
  const names = sql(Object.keys(old[0]!));
  const shown = await sql`select ${names} from backup_destinations order by id`;
  assert.deepEqual(
    shown.map((row) => ({ ...row, sftp_port: row.type === "sftp" ? row.sftp_port ?? 22 : null })),
    old.map((row) => ({ ...row, sftp_port: row.type === "sftp" ? row.sftp_port ?? 22 : null })),
  );
});

Deno.test("a control plane of the version before can add and change destinations, and replace keys, during an update", async () => {
  await using db = await testDatabase();
  const { database: sql } = db;
  const stamps = { created_at: AT, updated_at: AT };
  await sql`insert into users ${sql({ name: "Ada", email: "a@example.test", ...stamps })}`;
  const stored = () =>
    sql`
    select type, settings, secrets, sftp_host, sftp_password_encrypted, s3_endpoint, local_path
    from backup_destinations order by id`;
  const none = { sftp_host: null, sftp_password_encrypted: null, s3_endpoint: null, local_path: null };
  const add = (row: Record<string, unknown>) =>
    sql`insert into backup_destinations ${sql({ user_id: 1, label: "old", ...row, ...stamps })}`;
  await add({ type: "local", local_path: "/a" });
  await add({ type: "sftp", sftp_host: "nas", sftp_username: "u", sftp_password_encrypted: "v1:aaaa0000:p" });
  await add({
    type: "custom_s3",
    s3_bucket_name: "b",
    s3_endpoint: "https://minio",
    s3_access_key_encrypted: "v1:aaaa0000:a",
  });
  await insertBackupDestination(sql, { userId: 1, workspaceId: await ownWorkspace(sql, 1) }, {
    label: "new",
    type: "sftp",
    settings: { sftp_host: "new", sftp_port: 22 },
    secrets: { sftp_password: "v1:aaaa0000:n" },
  }, AT);
  const nas = { sftp_host: "nas", sftp_port: 22, sftp_username: "u" };
  const minio = { s3_bucket_name: "b", s3_endpoint: "https://minio", path_style_endpoint: false };
  assert.deepEqual([...await stored()], [
    { type: "local", settings: { local_path: "/a" }, secrets: {}, ...none, local_path: "/a" },
    {
      ...none,
      type: "sftp",
      settings: nas,
      secrets: { sftp_password: "v1:aaaa0000:p" },
      sftp_host: "nas",
      sftp_password_encrypted: "v1:aaaa0000:p",
    },
    {
      ...none,
      type: "custom_s3",
      settings: minio,
      secrets: { s3_access_key: "v1:aaaa0000:a" },
      s3_endpoint: "https://minio",
    },
    {
      ...none,
      type: "sftp",
      settings: { sftp_host: "new", sftp_port: 22 },
      secrets: { sftp_password: "v1:aaaa0000:n" },
      sftp_host: "new",
      sftp_password_encrypted: "v1:aaaa0000:n",
    },
  ]);

  await sql`update backup_destinations set label = 'x', local_path = null where id = 1`;
  await sql`update backup_destinations set sftp_password_encrypted = 'v1:bbbb0000:p' where id = 2`;
  await sql`update backup_destinations set type = 's3', s3_endpoint = null, s3_region = 'r' where id = 3`;
  await sql`update backup_destinations set settings = settings || '{"sftp_host": "newer"}' where id = 4`;
  const changed = await stored();
  assert.deepEqual(changed.map(({ settings, secrets }) => [settings, secrets]), [
    [{}, {}],
    [nas, { sftp_password: "v1:bbbb0000:p" }],
    [{ s3_bucket_name: "b", s3_region: "r", path_style_endpoint: false }, { s3_access_key: "v1:aaaa0000:a" }],
    [{ sftp_host: "newer", sftp_port: 22 }, { sftp_password: "v1:aaaa0000:n" }],
  ]);
  assert.deepEqual(changed.map(({ sftp_host }) => sftp_host), [null, "nas", null, "newer"]);
  assert.deepEqual([...await countSealed(sql)].sort(), [["aaaa0000", 2], ["bbbb0000", 1]]);
});

Deno.test("each secret of a destination is sealed anew by itself, and one that changed meanwhile stays", async () => {
  await using db = await testDatabase();
  const { database: sql } = db;
  await sql`insert into users ${
    sql({ name: "Ada", email: "a@example.test", created_at: AT, updated_at: AT })
  }`;
  for (const label of ["one", "two"]) {
    await insertBackupDestination(sql, { userId: 1, workspaceId: await ownWorkspace(sql, 1) }, {
      label,
      type: "sftp",
      settings: { sftp_host: "nas", sftp_port: 22, sftp_username: "u" },
      secrets: { sftp_password: `v1:aaaa0000:${label}`, sftp_private_key: "v1:bbbb0000:k" },
    }, AT);
  }
  const column = (await sealedColumns(sql)).find(({ table }) => table === "backup_destinations")!;
  assert.deepEqual(column, { table: "backup_destinations", column: "secrets", isObject: true });
  assert.deepEqual((await sealedByOthers(sql, column, ["bbbb0000"], 9)).sort(), [
    "v1:aaaa0000:one",
    "v1:aaaa0000:two",
  ]);
  assert.equal((await sealedByOthers(sql, column, [], 2)).length, 2);
  const pairs = [["v1:aaaa0000:one", "v1:cccc0000:one"], ["v1:bbbb0000:k", "v1:cccc0000:k"]] as const;
  // The second row is changed by its user while its secrets are being encrypted again.
  const changed = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const change = transaction(sql, async (own) => {
    await own`update backup_destinations set secrets = ${
      own.json({ sftp_password: "v1:aaaa0000:new", sftp_private_key: "v1:bbbb0000:k" })
    } where label = 'two'`;
    begun.resolve();
    await changed.promise;
  });
  await begun.promise;
  const replaced = transaction(sql, (own) => replaceSealed(own, column, pairs));
  await until(async () => (await sql`select from pg_locks where not granted`).length > 0);
  changed.resolve();
  await change;
  assert.equal(await replaced, 2);
  const rows = await sql`select secrets from backup_destinations order by id`;
  assert.deepEqual(rows.map(({ secrets }) => secrets), [
    { sftp_password: "v1:cccc0000:one", sftp_private_key: "v1:cccc0000:k" },
    { sftp_password: "v1:aaaa0000:new", sftp_private_key: "v1:cccc0000:k" },
  ]);
  assert.deepEqual(await sealingKeyIds(sql), ["aaaa0000", "cccc0000"]);
});

Deno.test("a search looks into labels and addresses, and into no other setting", async () => {
  await using db = await testDatabase();
  const { database: sql } = db;
  await sql`insert into users ${
    sql({ name: "Ada", email: "a@example.test", created_at: AT, updated_at: AT })
  }`;
  const workspaceId = await ownWorkspace(sql, 1);
  const settings = { sftp_host: "nas.example", sftp_port: 22, sftp_username: "backup%", sftp_path: "/a_b" };
  await insertBackupDestination(sql, { userId: 1, workspaceId }, {
    label: "Cellar",
    type: "sftp",
    settings,
    secrets: {},
  }, AT);
  for (
    const [search, count] of [["NAS.", 1], ["cell", 1], ["a_b", 1], ["backup%", 0], ["aXb", 0], [
      "22",
      0,
    ]] as const
  ) {
    const { total } = await listBackupDestinations(sql, workspaceId, { search }, 0, 10);
    assert.equal(total, count, search);
  }
});
