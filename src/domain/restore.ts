/** Checks the options of a restore, as far as the backup's contents are not needed for it. */
import type { DatabaseServer } from "./database/database_server.ts";
import { InvalidError } from "./errors.ts";

/**
 * Options of a restore, stored with the run. Never contain a secret. The rest is the source type's
 * (`src/definitions/sources`).
 */
export interface StoredRestore {
  /** Missing in runs from before databases could be restored. */
  readonly type?: string;
  /** The type of a database server. */
  readonly engine?: string;
  readonly overwrite: boolean;
  readonly server?: DatabaseServer | null;
  /** The request came with an identity. Control planes keep it in memory only. */
  readonly with_identity?: true;
}

/** Options of a drill that names the server for its scratch databases. */
export interface DrillOptions {
  readonly server: DatabaseServer;
}

/**
 * Selects databases from those that the backup contains (`held`). Throws an {@link InvalidError} that names
 * every invalid field.
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
 * Normalises paths to the form in an archive, without `./` and extra slashes. Throws an {@link InvalidError}
 * if one names the archive's root.
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
