/** What a restore is asked for, and what can be told of it without looking at the backup's contents. */
import type { DatabaseServer } from "./database/database_server.ts";
import { InvalidError } from "./errors.ts";

/** Kept with the run: never a secret. */
export type RestoreOptions = (FilesRestore | DatabaseRestore) & {
  /** An identity was passed for it, which is kept beside the run in memory alone. */
  readonly with_identity?: true;
};

export interface FilesRestore {
  /** Missing in runs of before databases were restored. */
  readonly type?: "files";
  /** Null: where the backup came from. */
  readonly target_path: string | null;
  /** Relative to the source's root. Empty: everything. */
  readonly paths: readonly string[];
  readonly overwrite: boolean;
}

export interface DatabaseRestore {
  readonly type: "database";
  readonly engine: "postgresql" | "mysql";
  /** Of the backup's databases; null: all of them. */
  readonly databases: readonly string[] | null;
  /** Another name for the only one; null: each keeps its own. */
  readonly database_name: string | null;
  readonly overwrite: boolean;
  /** Load options, if the request has any. */
  readonly load?: LoadOptions;
  /** Null, or missing in older runs: the task's. */
  readonly server?: DatabaseServer | null;
}

/** How databases are loaded; each is optional. */
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
export function loadOptions(engine: DatabaseRestore["engine"], asked: LoadOptions): LoadOptions | undefined {
  const other = engine === "mysql" ? "owners" : "definers";
  if (asked[other] !== undefined) {
    throw new InvalidError({
      [other]: [
        `The ${other} field can't be used: the backup holds ${
          engine === "mysql" ? "MySQL" : "PostgreSQL"
        } databases.`,
      ],
    });
  }
  const given = LOAD_OPTIONS.filter((name) => asked[name] !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given.map((name) => [name, asked[name]]));
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

/** Of a drill that says where its scratch databases go. */
export interface DrillOptions {
  readonly server: DatabaseServer;
}

/**
 * Which databases of a backup that holds `held`. Throws an {@link InvalidError} that names every field at
 * fault.
 */
export function chosenDatabases(
  held: readonly string[],
  asked: readonly string[] | undefined,
  newName: string | undefined,
): Pick<DatabaseRestore, "databases" | "database_name"> {
  const errors: Record<string, string[]> = {};
  const holds = `The backup holds: ${held.join(", ")}.`;
  const unknown = asked?.find((name) => !held.includes(name));
  if (unknown !== undefined) errors.databases = [`The backup holds no database ${unknown}. ${holds}`];
  if (newName !== undefined && (asked ?? held).length > 1) {
    errors.database_name = [`Only one database can get a new name: name it in databases. ${holds}`];
  }
  if (Object.keys(errors).length > 0) throw new InvalidError(errors);
  return { databases: asked === undefined ? null : [...new Set(asked)], database_name: newName ?? null };
}

/**
 * Paths as they stand in an archive, without `./` and slashes too many. Throws an {@link InvalidError} where
 * one names its root.
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
