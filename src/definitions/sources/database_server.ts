/**
 * Parts that the source types for database servers have in common: the fields of a task, the source and
 * target of a job, and the options of a restore.
 */
import * as z from "zod";
import {
  DATABASE_SERVER_FIELDS,
  type DatabaseServer,
  type RequestedDatabaseServer,
  requestedServer,
} from "../../domain/database/database_server.ts";
import { splitDatabaseNames, splitNames } from "../../domain/database/database_names.ts";
import { InvalidError } from "../../domain/errors.ts";
import { chosenDatabases } from "../../domain/restore.ts";
import { defineFields, type StoredValues } from "../fields/field.ts";
import { databaseUser, serverNameProblem, tableNames } from "../formats/databases.ts";
import { hostOrSocketDirectory } from "../formats/paths.ts";
import { integer, literal, secret } from "../formats/text.ts";
import type { HeldBackup, RestoreLogin, SourceSecrets } from "./definition.ts";

const FIELDS = defineFields({
  database_host: {
    schema: hostOrSocketDirectory(),
    help: "host of the database server; by default its local socket",
    description: "A host, or the absolute path of the directory with the server's socket. Default: the " +
      "local socket.",
    example: "127.0.0.1",
    placeholder: "host",
    definesSource: true,
  },
  database_port: { schema: integer(1, 65535), help: "port of the database server", definesSource: true },
  database_username: {
    schema: databaseUser(),
    help: "user that logs in to the database server",
    description: "Default on a socket: `postgres`, run as the system user `postgres`, or `root` for MySQL.",
    placeholder: "name",
    definesSource: true,
  },
  database_password: {
    schema: secret(1000),
    help: "password of that user; by default the remote server's",
    description: "Overrides the remote server's.",
    isSecret: true,
  },
  database_format: {
    schema: z.enum(["custom", "plain"]),
    help: "format of PostgreSQL dumps",
    description: "PostgreSQL only: `pg_dump -Fc`, or SQL text. Default `custom`.",
    default: "custom",
    definesSource: true,
  },
  excluded_database_tables: {
    schema: tableNames(),
    help: "tables whose rows a dump leaves out, separated by commas",
    description: "Separated by commas.",
    example: "logs,cache",
    placeholder: "names",
    alsoShownAs: "source.excluded_tables",
    definesSource: true,
  },
});

/** Name of the server's type in the registry of sources. */
const ServerEngine = z.string().max(64);

/**
 * Databases of one server, in a job. `names` can contain `*`, which means all databases. If `engine` is
 * null, the agent finds out which type of server it is.
 */
export const DatabaseSource = z.object({
  type: z.literal("database"),
  engine: ServerEngine.nullable(),
  names: z.array(z.string()).min(1),
  excluded_tables: z.array(z.string()),
  /** Host name or address; null is the local socket. */
  host: z.string().nullable(),
  port: z.number().int().nullable(),
  username: z.string().nullable(),
  password: z.string().nullable(),
  /** Format of PostgreSQL dumps: `custom` is `pg_dump -Fc`, `plain` is SQL text. */
  format: z.enum(["custom", "plain"]),
});
export type DatabaseSource = z.infer<typeof DatabaseSource>;

/**
 * Target of a job that restores databases of one server. The agent loads each database into a new database.
 * When all new databases are verified, they replace the old ones.
 */
export const DatabaseTarget = z.object({
  type: z.literal("database"),
  engine: ServerEngine,
  /** Host name or address; null is the local socket. */
  host: z.string().nullable(),
  port: z.number().int().nullable(),
  username: z.string().nullable(),
  password: z.string().nullable(),
  /** System user that runs the database programs; null is the agent's own user. */
  run_as: z.string().nullable(),
  /** Names of the backup's databases to restore; null restores all. */
  names: z.array(z.string()).min(1).nullable(),
  /** New name of the restored database, if only one is restored; null keeps the names. */
  database_name: z.string().nullable(),
  /** Whether databases that are not empty are replaced. If false, such a database fails the run. */
  overwrite: z.boolean(),
  /**
   * PostgreSQL: whether owners and grants are restored; default true. If false, the user of the database
   * login owns everything.
   */
  owners: z.boolean().optional(),
  /**
   * MySQL: with `login`, the user of the database login becomes the definer of routines, views, triggers and
   * events. Default: `keep`.
   */
  definers: z.enum(["keep", "login"]).optional(),
  /**
   * Whether failing statements are only reported as warnings. If false, they fail the run. Default: false.
   */
  continue_on_errors: z.boolean().optional(),
});
export type DatabaseTarget = z.infer<typeof DatabaseTarget>;

/** Options for loading databases. All are optional. They mean the same as in {@link DatabaseTarget}. */
interface LoadOptions {
  /** PostgreSQL: whether owners and grants are restored. */
  readonly owners?: boolean;
  /** MySQL: with `login`, the user of the database login becomes the definer of everything. */
  readonly definers?: "keep" | "login";
  /** Whether a failing statement only causes a warning. If false, the statement fails the run. */
  readonly continue_on_errors?: boolean;
}
const LOAD_OPTIONS = ["owners", "definers", "continue_on_errors"] as const satisfies (keyof LoadOptions)[];

/** Options of a restore of databases, as they are stored with the run. */
export interface DatabaseRestore {
  readonly type: "database";
  readonly engine: string;
  /** Names of the backup's databases to restore; null restores all. */
  readonly databases: readonly string[] | null;
  /** New name of the only selected database; null keeps the names. */
  readonly database_name: string | null;
  readonly overwrite: boolean;
  /** Load options; missing if the request has none. */
  readonly load?: LoadOptions;
  /**
   * Database server to load into. Null for the task's server. Older runs lack the field, and load into the
   * task's server.
   */
  readonly server?: DatabaseServer | null;
}

interface DatabaseRequest extends RequestedDatabaseServer, LoadOptions {
  readonly databases?: string[];
  readonly database_name?: string;
  readonly overwrite?: boolean;
}

/** Request fields that name the database server to load into, if it is not the task's server. */
export const SERVER_FIELDS = {
  database_host: hostOrSocketDirectory().nullable().meta({
    description:
      "Databases only. The database server to load into, or the directory of its socket; null: the local " +
      "socket. Default: the task's server and user. The login's password is the remote server's `database_password`; the " +
      "task's where it is the task's own host, or the machine itself.",
  }),
  database_port: integer(1, 65535).nullable().meta({ description: "Of `database_host`." }),
  database_username: databaseUser().nullable().meta({ description: "At `database_host`." }),
} satisfies Record<typeof DATABASE_SERVER_FIELDS[number], z.ZodType>;

/** Request fields for load options. */
export const LOAD_FIELDS = {
  owners: z.boolean().meta({
    description:
      "PostgreSQL only. False leaves owners and grants out: everything belongs to the user that loads it. " +
      "Default: true.",
  }),
  definers: z.enum(["keep", "login"]).meta({
    description:
      "MySQL and MariaDB only. `login` makes the user that loads them the definer of routines, views, " +
      "triggers and events. Default: `keep`.",
  }),
  continue_on_errors: z.boolean().meta({
    description:
      "Databases only. A statement that fails is a warning and the load goes on: the run counts the " +
      "errors and lists the first 100. Default: false.",
  }),
};

/** Request fields that select databases. */
export const SELECTION_FIELDS = {
  database_name: literal(4096),
  databases: z.array(literal(4096)).min(1).max(1000).meta({
    description: "Databases only. The databases of the backup to restore. Default: all of them.",
  }),
};

/** Returns the parts of a source definition that all types of database servers share. */
export function databaseServer<const Load extends Partial<typeof LOAD_FIELDS>>(engine: string, load: Load) {
  return {
    taskType: "database",
    holds: "databases",
    fields: FIELDS,
    requiredField: "database_name",
    since: 1,
    jobShape: DatabaseSource,
    job: (task: ServerTask, { database_password = null }: SourceSecrets): DatabaseSource => {
      const names = splitDatabaseNames(task.database_name ?? "").filter((name) => name !== "");
      if (names.length === 0) throw new InvalidError({ database_name: ["The database name is empty."] });
      return {
        type: "database",
        engine: task.database_type,
        names,
        excluded_tables: splitNames(task.excluded_database_tables ?? "").filter((name) => name !== ""),
        host: task.database_host,
        port: task.database_port,
        username: task.database_username,
        password: database_password,
        format: task.database_format,
      };
    },
    nameProblem: serverNameProblem,
    restore: {
      fields: { ...SELECTION_FIELDS, ...SERVER_FIELDS, ...load },
      targetShape: DatabaseTarget,
      usesServer: true,
      options: (request: DatabaseRequest, { databases }: HeldBackup): DatabaseRestore => {
        const given = LOAD_OPTIONS.filter((name) => request[name] !== undefined);
        const chosen = chosenDatabases(databases, request.databases, request.database_name);
        return {
          type: "database",
          engine,
          ...chosen,
          overwrite: request.overwrite ?? false,
          ...given.length === 0
            ? {}
            : { load: Object.fromEntries(given.map((name) => [name, request[name]])) },
          server: requestedServer(request),
        };
      },
      target: (
        { databases, database_name, overwrite, load }: DatabaseRestore,
        { run_as, server }: RestoreLogin,
      ): DatabaseTarget => ({
        type: "database",
        engine,
        ...server!,
        run_as,
        names: databases === null ? null : [...databases],
        database_name,
        overwrite,
        ...load,
      }),
      drill: { type: "database", engine, databases: null, database_name: null, overwrite: false },
      decisive: ({ load: { owners, definers, continue_on_errors } = {} }: DatabaseRestore): string[] => [
        ...owners === false ? ["owners"] : [],
        ...definers === "login" ? ["definers"] : [],
        ...continue_on_errors ? ["continue_on_errors"] : [],
      ],
    },
  } as const;
}

/** The values of a task from which the source of its job is built. */
interface ServerTask extends StoredValues<typeof FIELDS> {
  readonly database_name: string | null;
  readonly database_type: string | null;
}
