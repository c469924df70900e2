import assert from "node:assert/strict";
import { emptyDatabase, testDatabase } from "../../../tests/support/fixtures/database.ts";
import { fillDatabase, rowsOf } from "../../../tests/support/fixtures/full_database.ts";
import { exportText } from "./export.ts";
import { isEmptyDatabase, loadExport } from "./import.ts";
import { readMigrations } from "../database/migrate.ts";
import { sealingKeyIds } from "../database/sealed_columns.ts";

const migrations = await readMigrations(new URL("../../../migrations", import.meta.url));

async function exportedLines(database: Parameters<typeof exportText>[0]): Promise<string[]> {
  let text = "";
  for await (const piece of exportText(database, migrations, new Date("2026-01-01T00:00:00Z"))) text += piece;
  return text.trimEnd().split("\n");
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

/** Compares rows as text, because showing a difference between thousands of rows would take minutes. */
function assertSame(found: Map<string, string[]>, expected: Map<string, string[]>, table: string): void {
  assert.ok(found.get(table)!.join("\n") === expected.get(table)!.join("\n"), `${table} differs`);
}

const nothing = () => Promise.resolve();

Deno.test("an export loads without psql to the same rows", async () => {
  await using original = await testDatabase();
  await using once = await emptyDatabase();
  await using twice = await emptyDatabase();
  await fillDatabase(original.database);
  assert.ok(await isEmptyDatabase(once.database));
  const lines = await exportedLines(original.database);
  await loadExport(once.database, each(lines), nothing);
  assert.ok(!await isEmptyDatabase(once.database));
  const before = await rowsOf(original.database);
  const after = await rowsOf(once.database);
  for (const table of ["users", "tokens", "tags", "backup_tasks", "backups", "schema_migrations"]) {
    assert.ok(before.get(table)!.length > 0);
    assertSame(after, before, table);
  }
  // An export of the imported database contains the same rows.
  await loadExport(twice.database, each(await exportedLines(once.database)), nothing);
  const again = await rowsOf(twice.database);
  for (const table of after.keys()) assertSame(again, after, table);
});

Deno.test("a truncated, damaged or refused export loads nothing", async () => {
  await using original = await testDatabase();
  await using made = await emptyDatabase();
  await fillDatabase(original.database);
  const lines = await exportedLines(original.database);
  const refused = () => Promise.reject(new Error("refused"));
  const damaged = lines.map((line) => line.replace("tag 7\t", "tag 7"));
  for (
    const [reason, text, check] of [
      [/cut short/, lines.slice(0, -1), nothing],
      [/cut short/, lines.slice(0, lines.length >> 1), nothing],
      [/begin as one does/, ["select 1;"], nothing],
      [/a row is damaged/, damaged, nothing],
      [/refused/, lines, refused],
    ] as const
  ) {
    await assert.rejects(loadExport(made.database, each(text), check), reason);
    assert.ok(await isEmptyDatabase(made.database));
  }
});

Deno.test("the keys of encrypted values are found in every table", async () => {
  await using original = await testDatabase();
  const { database } = original;
  await fillDatabase(database);
  await database`update backup_destinations set secrets = ${
    database.json({ sftp_password: "v1:aaaa0000:x", sftp_private_key: "v1:cccc0000:x" })
  }`;
  await database`update backup_tasks set encryption_password_encrypted = 'v1:bbbb0000:x'`;
  assert.deepEqual(await sealingKeyIds(database), ["aaaa0000", "bbbb0000", "cccc0000"]);
});
