/** The fixture for a control plane's export. It restores the export into an empty database. */
import { systemClock } from "../../../src/domain/clock.ts";
import { exportText } from "../../../src/store/export/export.ts";
import { readMigrations } from "../../../src/store/database/migrate.ts";
import { BackupRun } from "../fixtures/backup_run.ts";
import { emptyDatabase, type TestDatabase, testDatabase } from "../fixtures/database.ts";
import { fillDatabase, rowsOf } from "../fixtures/full_database.ts";
import type { SourceFixture } from "./fixture.ts";

const KEPT = ["users", "tokens", "tags", "backup_tasks", "backups", "backup_objects", "schema_migrations"];

export async function controlPlaneFixture(): Promise<SourceFixture> {
  const original = await testDatabase();
  await fillDatabase(original.database);
  const migrations = await readMigrations(new URL("../../../migrations", import.meta.url));
  BackupRun.exported = async function* () {
    const encoder = new TextEncoder();
    for await (const piece of exportText(original.database, migrations, systemClock.now())) {
      yield encoder.encode(piece);
    }
  };
  let target: TestDatabase = await emptyDatabase();
  return {
    variants: [{ name: "a control plane's database", spec: { type: "control_plane" } }],
    secrets: [],
    restoration: (line) =>
      Promise.resolve({
        line: `${line.replace("DATABASE", '"$TARGET"')} --quiet --output=/dev/null`,
        env: { TARGET: target.url, PATH: Deno.env.get("PATH")! },
      }),
    describeOriginal: () => describe(original),
    describeRestored: () => describe(target),
    async reset() {
      await target[Symbol.asyncDispose]();
      target = await emptyDatabase();
    },
    async [Symbol.asyncDispose]() {
      await target[Symbol.asyncDispose]();
      await original[Symbol.asyncDispose]();
    },
  };
}

async function describe({ database }: TestDatabase): Promise<string[]> {
  const rows = await rowsOf(database);
  return KEPT.flatMap((table) => (rows.get(table) ?? []).map((row) => `${table} ${row}`));
}
