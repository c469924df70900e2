/**
 * Fields of a backup task that say what is backed up: the fields that all source types share, and the fields
 * of each type.
 */
import * as z from "zod";
import { storedValues } from "./fields/columns.ts";
import { type Columns, defineFields, type FieldTable, type StoredValues } from "./fields/field.ts";
import { systemUser } from "./formats/databases.ts";
import { secret } from "./formats/text.ts";
import { databaseNames } from "./sources/database_names.ts";
import { BACKUP_TASK_TYPES, DATABASE_TYPES, SOURCE_FIELDS, TYPE_NOTES } from "./sources/registry.ts";

/**
 * Fields that are stored in two objects: one for the settings, one for the secrets. Each secret is encrypted
 * separately.
 */
type InObjects<T extends FieldTable> = {
  readonly [N in keyof T]: T[N] & {
    readonly storedIn: T[N] extends { readonly isSecret: true } ? "source_secrets" : "source_settings";
  };
};

/**
 * Adds to each field where it is stored: secrets in `source_secrets`, other fields in `source_settings`. So a
 * field that only one source type has needs no column of its own.
 */
function inObjects<const T extends FieldTable>(fields: T): InObjects<T> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      { ...field, storedIn: field.isSecret ? "source_secrets" : "source_settings" },
    ]),
  ) as InObjects<T>;
}

export const TASK_SOURCE_FIELDS = defineFields({
  type: {
    schema: z.enum(BACKUP_TASK_TYPES),
    help: "kind of source",
    description: TYPE_NOTES,
    isRequired: true,
    alsoShownAs: "source.type",
    definesSource: true,
  },
  ...inObjects({
    database_name: {
      schema: databaseNames(),
      help: "database to back up: a name, several names separated by commas, or * for all",
      description:
        "Needed when `type` is `database`: one name, several separated by commas, or `*` for all of " +
        "the server's. Names are literal; a name that contains a comma is written in double quotes.",
      example: "production_db",
      placeholder: "names",
      alsoShownAs: "source.database_name",
      definesSource: true,
    },
  }),
  database_type: {
    schema: z.enum(DATABASE_TYPES),
    help: "kind of database; by default the kind that is found",
    description: "Default: the kind that is found on the server.",
    definesSource: true,
  },
  ...inObjects(SOURCE_FIELDS),
  isolated_username: {
    schema: systemUser(),
    help: "system user that runs the source's programs",
    description: "The system user that runs the source's programs.",
    placeholder: "name",
    definesSource: true,
  },
  isolated_password: {
    schema: secret(1000),
    help: "password of that user; no program uses it",
    description: "Exists for clients that send it.",
    isSecret: true,
  },
});
type TaskSourceFields = typeof TASK_SOURCE_FIELDS;

/** Returns the values of a task's source fields. Secrets stay encrypted. A value that is not set is null. */
export function sourceValues(task: Columns<TaskSourceFields>): StoredValues<TaskSourceFields> {
  return storedValues(TASK_SOURCE_FIELDS, task);
}
