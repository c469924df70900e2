/** Migrates a database to this code's schema. Applies numbered SQL files, in one direction only. */
import { createHash } from "node:crypto";
import type { Clock } from "../../domain/clock.ts";
import { transaction } from "./database.ts";
import type { Database, Sql } from "./sql.ts";

/** A file `NNNN_name.sql`. `checksum` is the SHA-256 of its text, in hexadecimal. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

/** Reports that the database and the code do not match. The message is one line that says what to do. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/**
 * Id of the advisory lock that every replica takes before it migrates: the text "rearguar" in ASCII, read as
 * a 63-bit number.
 */
const MIGRATION_LOCK = "8243101836961472882";

/** Reads every migration of a directory, lowest version first. Versions run from 1 without a gap. */
export async function readMigrations(directory: URL | string): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for await (const entry of Deno.readDir(directory)) {
    const match = /^(\d{4})_(\w+)\.sql$/.exec(entry.name);
    if (match === null) continue;
    const text = await Deno.readTextFile(
      directory instanceof URL ? new URL(entry.name, `${directory.href}/`) : `${directory}/${entry.name}`,
    );
    const checksum = createHash("sha256").update(text).digest("hex");
    migrations.push({ version: Number(match[1]), name: entry.name.slice(0, -4), text, checksum });
  }
  migrations.sort((a, b) => a.version - b.version);
  migrations.forEach((migration, index) => {
    if (migration.version !== index + 1) {
      throw new MigrationError(`Cannot read the migrations: number ${index + 1} is missing or there twice`);
    }
  });
  return migrations;
}

/**
 * Applies the missing migrations, and returns their names. Each migration runs in its own transaction and
 * under an advisory lock. So replicas that start at the same time apply it only once.
 *
 * Rejects with a {@link MigrationError} and changes nothing in two cases: the database has a migration that
 * this code lacks, or the text of an applied migration has changed.
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[],
  clock: Clock,
): Promise<string[]> {
  const applied: string[] = [];
  for (;;) {
    const name = await transaction(database, (sql) => applyNext(sql, migrations, clock));
    if (name === null) return applied;
    applied.push(name);
  }
}

/** Returns the version of the newest applied migration; 0 for an empty database. */
export async function schemaVersion(sql: Sql): Promise<number> {
  const [table] = await sql`select to_regclass('schema_migrations') as oid`;
  if (table?.oid === null) return 0;
  const [row] = await sql`select coalesce(max(version), 0) as version from schema_migrations`;
  return row!.version as number;
}

async function applyNext(
  sql: Sql,
  migrations: readonly Migration[],
  clock: Clock,
): Promise<string | null> {
  await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK}::bigint)`;
  await sql`
    create table if not exists schema_migrations (
      version integer primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null
    )`;
  const rows = await sql<{ version: number; name: string; checksum: string }[]>`
    select version, name, checksum from schema_migrations order by version`;
  refuseMismatch(rows, migrations);
  const next = migrations[rows.length];
  if (next === undefined) return null;
  try {
    await sql.unsafe(next.text);
  } catch (cause) {
    throw new MigrationError(`Cannot apply migration ${next.name}: ${(cause as Error).message}`, { cause });
  }
  await sql`
    insert into schema_migrations (version, name, checksum, applied_at)
    values (${next.version}, ${next.name}, ${next.checksum}, ${clock.now()})`;
  return next.name;
}

function refuseMismatch(
  rows: readonly { version: number; name: string; checksum: string }[],
  migrations: readonly Migration[],
): void {
  const newest = rows.at(-1);
  if (newest !== undefined && newest.version > migrations.length) {
    throw new MigrationError(
      `Cannot use the database: it holds migration ${newest.name}, which is newer than this version of ` +
        "Rearguard; start the version that made it, or a later one",
    );
  }
  rows.forEach((row, index) => {
    const known = migrations[index]!;
    if (row.version === known.version && row.checksum === known.checksum) return;
    throw new MigrationError(
      `Cannot use the database: migration ${row.name} was applied with another text than migrations/${known.name}.sql; ` +
        "start the version of Rearguard that made it",
    );
  });
}
