/** Checks the options of a restore, as far as the backup's contents are not needed for it. */
import type { DatabaseServer } from "./database/database_server.ts";
import { InvalidError } from "./errors.ts";

/** Options of a restore, stored with the run. Never contain a secret. */
export type RestoreOptions = (FilesRestore | DatabaseRestore) & {
  /** The request came with an identity. Control planes keep it in memory only. */
  readonly with_identity?: true;
};

export interface FilesRestore {
  /** Missing in runs from before databases could be restored. */
  readonly type?: "files";
  /** Null: the backup's original path. */
  readonly target_path: string | null;
  /** Relative to the source's root. Empty: everything. */
  readonly paths: readonly string[];
  readonly overwrite: boolean;
}

export interface DatabaseRestore {
  readonly type: "database";
  readonly engine: "postgresql" | "mysql";
  /** A selection of the backup's databases; null: all of them. */
  readonly databases: readonly string[] | null;
  /** A new name for the only selected database; null: each keeps its own. */
  readonly database_name: string | null;
  readonly overwrite: boolean;
  /** Load options, if the request has any. */
  readonly load?: LoadOptions;
  /** Null, or missing in older runs: the task's server. */
  readonly server?: DatabaseServer | null;
}

/** Options of loading databases; each is optional. */
export interface LoadOptions {
  /** PostgreSQL: false leaves owners and grants out. */
  readonly owners?: boolean;
  /** MySQL: `login` makes the login the definer of everything. */
  readonly definers?: "keep" | "login";
  /** Failing statements are reported as warnings. */
  readonly continue_on_errors?: boolean;
}
export const LOAD_OPTIONS = ["owners", "definers", "continue_on_errors"] as const;

/** Returns the given options. Throws an {@link InvalidError} if one belongs to another engine. */
export function loadOptions(
  engine: DatabaseRestore["engine"],
  requested: LoadOptions,
): LoadOptions | undefined {
  const other = engine === "mysql" ? "owners" : "definers";
  if (requested[other] !== undefined) {
    throw new InvalidError({
      [other]: [
        `The ${other} field can't be used: the backup holds ${
          engine === "mysql" ? "MySQL" : "PostgreSQL"
        } databases.`,
      ],
    });
  }
  const given = LOAD_OPTIONS.filter((name) => requested[name] !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given.map((name) => [name, requested[name]]));
}

/**
 * Lists options that change the result of a restore: an agent that does not know them must not get the job.
 */
export function decisiveOptions({ owners, definers, continue_on_errors }: LoadOptions): string[] {
  return [
    ...owners === false ? ["owners"] : [],
    ...definers === "login" ? ["definers"] : [],
    ...continue_on_errors ? ["continue_on_errors"] : [],
  ];
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
): Pick<DatabaseRestore, "databases" | "database_name"> {
  const errors: Record<string, string[]> = {};
  const holds = `The backup holds: ${held.join(", ")}.`;
  const unknown = requested?.find((name) => !held.includes(name));
  if (unknown !== undefined) errors.databases = [`The backup holds no database ${unknown}. ${holds}`];
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
      paths: ["A path names the whole backup. Leave paths out to restore all of it."],
    });
  });
}
