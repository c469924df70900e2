/** Fields of a backup task that say what is backed up, and how it is read. */
import * as z from "zod";
import { BACKUP_TASK_TYPES } from "../domain/backup_task.ts";
import { defineFields } from "./fields/field.ts";
import { databaseNames, databaseUser, systemUser, tableNames } from "./formats/databases.ts";
import { absolutePath, hostOrSocketDirectory } from "./formats/paths.ts";
import { integer, literalLine, secret } from "./formats/text.ts";

export const TASK_SOURCE_FIELDS = defineFields({
  type: {
    schema: z.enum(BACKUP_TASK_TYPES),
    help: "kind of source",
    description: "`control_plane` is this control plane's own database: for tokens with the `admin` ability.",
    isRequired: true,
    alsoShownAs: "source.type",
    definesSource: true,
  },
  source_path: {
    schema: absolutePath(),
    help: "directory or file to back up",
    description: "Absolute; needed when `type` is `files`.",
    example: "/var/www",
    placeholder: "path",
    alsoShownAs: "source.path",
    definesSource: true,
  },
  excluded_paths: {
    schema: z.array(literalLine(4096)).max(1000),
    help: "paths and patterns to leave out",
    description:
      "What to leave out: absolute paths in the source, or patterns. A relative pattern matches at " +
      "every depth; `*` matches no slash.",
    example: ["*.tmp", "node_modules"],
    placeholder: "pattern",
    default: [],
    definesSource: true,
  },
  allow_unreadable: {
    schema: z.boolean(),
    help: "warn of files that can't be read, instead of failing",
    description: "Whether a file that can't be read is a warning instead of the run's end.",
    default: false,
  },
  database_name: {
    schema: databaseNames(),
    help: "database to back up: a name, several with commas, or * for all",
    description:
      "Needed when `type` is `database`: one name, several separated by commas, or `*` for all of " +
      "the server's. Names are taken to the letter; double quotes hold one with a comma in it.",
    example: "production_db",
    placeholder: "names",
    alsoShownAs: "source.database_name",
    definesSource: true,
  },
  database_type: {
    schema: z.enum(["postgresql", "mysql"]),
    help: "kind of database server; by default the one that runs",
    description: "Default: whichever the server runs.",
    definesSource: true,
  },
  database_host: {
    schema: hostOrSocketDirectory(),
    help: "host of the database server; by default its local socket",
    description:
      "A host, or the absolute path of the directory that the server's socket is in. Default: the " +
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
    help: "password of that user, in place of the server's",
    description: "In place of the remote server's.",
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
    help: "tables whose rows a dump leaves out, with commas",
    description: "Separated by commas.",
    example: "logs,cache",
    placeholder: "names",
    alsoShownAs: "source.excluded_tables",
    definesSource: true,
  },
  isolated_username: {
    schema: systemUser(),
    help: "system user that runs the source's programs",
    description: "The system user that runs the source's programs.",
    placeholder: "name",
    definesSource: true,
  },
  isolated_password: {
    schema: secret(1000),
    help: "password of that user, which no program uses",
    description: "Kept for clients that send it.",
    isSecret: true,
  },
});
