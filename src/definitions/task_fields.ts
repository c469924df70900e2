/**
 * Every field of a backup task. To add a field, write a migration with its column, an entry in one of the
 * tables below, and the code that uses the field. All else is derived from the entry: the input, the record,
 * the API document, the flag of the command line, and the row in the manual.
 */
import { defineFields } from "./fields/field.ts";
import { fileNamePart, relativeStorePath } from "./formats/paths.ts";
import { id, line, text } from "./formats/text.ts";
import { TASK_ENCRYPTION_FIELDS } from "./task_encryption_fields.ts";
import { TASK_RETENTION_FIELDS } from "./task_retention_fields.ts";
import { TASK_RUN_FIELDS } from "./task_run_fields.ts";
import { TASK_SCHEDULE_FIELDS } from "./task_schedule_fields.ts";
import { TASK_SOURCE_FIELDS } from "./task_source_fields.ts";
import * as z from "zod";

/** Fields by which people tell tasks apart. */
export const TASK_PLAN_FIELDS = defineFields({
  label: { schema: line(255), help: "name of the task", isRequired: true },
  description: { schema: text(10_000), help: "notes about the task" },
  remote_server_id: {
    schema: id(),
    help: "server that owns the data",
    isRequired: true,
    definesSource: true,
  },
  backup_destination_id: { schema: id(), help: "destination that backups go to", isRequired: true },
});

const TASK_STORAGE_FIELDS = defineFields({
  store_path: {
    schema: relativeStorePath(),
    help: "directory below the destination's own path",
    description: "Below the destination's own path.",
    example: "/backups/weekly",
    placeholder: "path",
    alsoShownAs: "storage.path",
  },
  appended_file_name: {
    schema: fileNamePart(100),
    help: "text that file names start with",
    alsoShownAs: "storage.appended_filename",
  },
});

const TASK_RELATION_FIELDS = defineFields({
  script_ids: {
    schema: z.array(id()).max(20),
    help: "scripts that backup runs execute on the server, in order",
    default: [],
    relation: {
      table: "backup_task_scripts",
      column: "script_id",
      records: "scripts",
      orderedBy: "position",
    },
  },
  tag_ids: {
    schema: z.array(id()).max(1000),
    help: "tags of the task",
    default: [],
    relation: { table: "backup_task_tags", column: "tag_id", records: "tags" },
  },
  notification_stream_ids: {
    schema: z.array(id()).max(1000),
    help: "notification streams that report the task's runs",
    default: [],
    relation: {
      table: "backup_task_notification_streams",
      column: "notification_stream_id",
      records: "notification_streams",
    },
  },
});

export const TASK_FIELDS = {
  ...TASK_PLAN_FIELDS,
  ...TASK_SOURCE_FIELDS,
  ...TASK_SCHEDULE_FIELDS,
  ...TASK_RETENTION_FIELDS,
  ...TASK_STORAGE_FIELDS,
  ...TASK_ENCRYPTION_FIELDS,
  ...TASK_RUN_FIELDS,
  ...TASK_RELATION_FIELDS,
};
export type TaskFields = typeof TASK_FIELDS;
