/** Options and counts of restores and drills. Also checks that can be made without reading the backup. */
import type { DatabaseServer } from "./database/database_server.ts";
import { InvalidError } from "./errors.ts";

/**
 * Options of a restore, as they are stored with the run; never contain a secret. The source type
 * (`src/definitions/sources`) defines further fields.
 */
export interface StoredRestore {
  /** Type of the source. Missing in old runs, from the time when only files could be restored. */
  readonly type?: string;
  /** Type of the database server. */
  readonly engine?: string;
  readonly overwrite: boolean;
  readonly server?: DatabaseServer | null;
  /**
   * Set if the request contained an age secret key (identity) that decrypts the backup. Control planes keep
   * an identity only in memory.
   */
  readonly with_identity?: true;
}

/** Options of a drill that makes its scratch databases on the database server `server`. */
export interface DrillOptions {
  readonly server: DatabaseServer;
}

/**
 * Returns the databases to restore, and the new name if only one is restored. Throws an {@link InvalidError}
 * that names every invalid field.
 *
 * @param held The databases that the backup contains.
 */
export function chosenDatabases(
  held: readonly string[],
  requested: readonly string[] | undefined,
  newName: string | undefined,
): { databases: string[] | null; database_name: string | null } {
  const errors: Record<string, string[]> = {};
  const holds = `The backup holds: ${held.join(", ")}.`;
  const unknown = requested?.find((name) => !held.includes(name));
  if (unknown !== undefined) errors.databases = [`The backup contains no database ${unknown}. ${holds}`];
  if (newName !== undefined && (requested ?? held).length > 1) {
    errors.database_name = [`Only one database can get a new name: name it in databases. ${holds}`];
  }
  if (Object.keys(errors).length > 0) throw new InvalidError(errors);
  return {
    databases: requested === undefined ? null : [...new Set(requested)],
    database_name: newName ?? null,
  };
}

/**
 * Returns paths in the form in which archives contain them, without `./` and extra slashes. Throws an
 * {@link InvalidError} if a path names the archive's root.
 */
export function archivePaths(paths: readonly string[]): string[] {
  return paths.map((path) => {
    const inside = path.split("/").filter((segment) => segment !== "" && segment !== ".").join("/");
    if (inside !== "") return inside;
    throw new InvalidError({
      paths: ["A path names the whole backup. Omit paths to restore everything."],
    });
  });
}

/**
 * Returns the directory to restore files to if they are restored to their original location. Returns null if
 * the backup contains no files, or if its source is not known.
 *
 * @param source The source as described in the backup's manifest.
 */
export function originalDirectory(source: Readonly<Record<string, unknown>> | null): string | null {
  if (typeof source?.path !== "string") return null;
  const path = source.path.replace(/(?<=.)\/+$/, "");
  return source.kind === "file" ? path.slice(0, path.lastIndexOf("/")) || "/" : path;
}

/** Amounts of data. An amount is null if it is not known, or if the source has nothing of this kind. */
export interface RestoreAmounts {
  /** Number of members that are not directories. */
  readonly files_count: number | null;
  readonly directories_count: number | null;
  readonly bytes: number | null;
  readonly databases_count: number | null;
  /** Number of rows in the databases. */
  readonly rows_count: number | null;
}

/** The counts of a finished restore. */
export interface RestoreCounts {
  readonly requested: RestoreAmounts;
  readonly written: RestoreAmounts;
  /** Number of files and directories that were asked for and could not be written. */
  readonly skipped_count: number;
  /** The first of the written paths. For databases, the names of the first written databases. */
  readonly targets: readonly string[];
  readonly targets_count: number;
}

/** Returns whether a restore wrote nothing although it was asked for something. */
export function wroteNothing({ requested, written }: RestoreCounts): boolean {
  return sum(requested) > 0 && sum(written) === 0;
}

function sum({ files_count, directories_count, databases_count }: RestoreAmounts): number {
  return (files_count ?? 0) + (directories_count ?? 0) + (databases_count ?? 0);
}
