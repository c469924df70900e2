/** SQLite databases: files of one server. */
import * as z from "zod";
import { splitDatabaseNames } from "../../domain/database/database_names.ts";
import { chosenDatabases } from "../../domain/restore.ts";
import { SELECTION_FIELDS } from "./database_server.ts";
import { defineSource, type HeldBackup, type RestoreLogin } from "./definition.ts";

const MAX_PATH = 4096;

/** SQLite databases, in a job. `names` contains absolute paths and patterns. */
export const SqliteSource = z.object({ type: z.literal("sqlite"), names: z.array(z.string()).min(1) });
export type SqliteSource = z.infer<typeof SqliteSource>;

/**
 * Target of a job that restores SQLite databases to their paths. The agent first restores and verifies all
 * databases. Then it replaces the old databases with the restored ones.
 */
export const SqliteTarget = z.object({
  type: z.literal("sqlite"),
  /** System user that runs the programs; null is the agent's own user. */
  run_as: z.string().nullable(),
  /** Paths of the backup's databases to restore; null restores all. */
  names: z.array(z.string()).min(1).nullable(),
  /** New path of the restored database, if only one is restored; null keeps the paths. */
  database_name: z.string().nullable(),
  /** Whether existing databases are replaced. If false, an existing database fails the run. */
  overwrite: z.boolean(),
});
export type SqliteTarget = z.infer<typeof SqliteTarget>;

/** Options of a restore of SQLite databases, as they are stored with the run. */
interface SqliteRestore {
  readonly type: "sqlite";
  readonly databases: readonly string[] | null;
  readonly database_name: string | null;
  readonly overwrite: boolean;
}

interface SqliteRequest {
  readonly databases?: string[];
  readonly database_name?: string;
  readonly overwrite?: boolean;
}

export const sqlite = defineSource({
  label: "SQLite databases",
  taskType: "database",
  holds: "databases",
  engine: "sqlite3",
  fields: {},
  requiredField: "database_name",
  jobShape: SqliteSource,
  job: ({ database_name }: { readonly database_name: string | null }): SqliteSource => ({
    type: "sqlite",
    names: splitDatabaseNames(database_name ?? "").filter((name) => name !== ""),
  }),
  nameProblem(names: readonly string[]): string | null {
    if (names.some((name) => !name.startsWith("/") || name.endsWith("/") || name.includes("\0"))) {
      return "must be absolute paths of files, separated by commas, when database type is sqlite";
    }
    if (names.some((name) => name.length > MAX_PATH)) {
      return `must not hold a path longer than ${MAX_PATH} characters`;
    }
    if (new Set(names).size !== names.length) return "must not name a database twice";
    return null;
  },
  restore: {
    fields: SELECTION_FIELDS,
    targetShape: SqliteTarget,
    options: (request: SqliteRequest, { databases }: HeldBackup): SqliteRestore => ({
      type: "sqlite",
      ...chosenDatabases(databases, request.databases, request.database_name),
      overwrite: request.overwrite ?? false,
    }),
    target: (
      { databases, database_name, overwrite }: SqliteRestore,
      { run_as }: RestoreLogin,
    ): SqliteTarget => ({
      type: "sqlite",
      run_as,
      names: databases === null ? null : [...databases],
      database_name,
      overwrite,
    }),
    drill: { type: "sqlite", databases: null, database_name: null, overwrite: false },
  },
});
