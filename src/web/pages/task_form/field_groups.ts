/** The fields of a backup task in groups, derived from their definitions. */
import { DEFINITIONS, SOURCE_FIELDS } from "../../../definitions/sources/registry.ts";
import { TASK_ENCRYPTION_FIELDS } from "../../../definitions/task_encryption_fields.ts";
import { TASK_FIELDS } from "../../../definitions/task_fields.ts";
import { TASK_RETENTION_FIELDS } from "../../../definitions/task_retention_fields.ts";
import { TASK_SCHEDULE_FIELDS } from "../../../definitions/task_schedule_fields.ts";

export interface FieldGroup {
  readonly title: string;
  readonly names: readonly string[];
  /** Whether the group is closed at first. True for groups that few people need. */
  readonly isFolded: boolean;
}

export const RETENTION_NAMES: readonly string[] = Object.keys(TASK_RETENTION_FIELDS);
const SCHEDULE_NAMES = Object.keys(TASK_SCHEDULE_FIELDS);
const ENCRYPTION_NAMES = Object.keys(TASK_ENCRYPTION_FIELDS);
const PLAN_NAMES = ["label", "description", "tag_ids", "remote_server_id", "backup_destination_id"];
const CONTACT_NAMES = ["notification_stream_ids", "script_ids"];

/**
 * Fields that must not appear in the last group, even if no other group names them. The form shows some of
 * them only for certain types of tasks. `isolated_password` is sent only by clients of another product.
 */
const HIDDEN = ["type", "database_name", "database_type", "isolated_password"];

/**
 * Returns the groups of a task's fields. A field that no other group names is in the last group. So a new
 * field appears in the form without a change here.
 */
export function groupsOf(
  task: { readonly type: string; readonly database_type?: string | null },
): FieldGroup[] {
  const source = sourceNames(task);
  const named = [
    { title: "Task", names: PLAN_NAMES, isFolded: false },
    { title: "What is backed up", names: source, isFolded: false },
    { title: "When it runs", names: SCHEDULE_NAMES, isFolded: false },
    { title: "How long backups are kept", names: RETENTION_NAMES, isFolded: false },
    { title: "Encryption", names: ENCRYPTION_NAMES, isFolded: false },
    { title: "Alerts and scripts", names: CONTACT_NAMES, isFolded: false },
  ];
  const known = new Set([
    ...named.flatMap(({ names }) => names),
    ...Object.keys(SOURCE_FIELDS),
    ...HIDDEN,
    "type",
  ]);
  const rest = Object.keys(TASK_FIELDS).filter((name) => !known.has(name));
  return [...named, { title: "Everything else", names: rest, isFolded: true }];
}

/** Returns the names of the source's fields: those of the task's type, and of its kind of database. */
function sourceNames(
  { type, database_type }: { readonly type: string; readonly database_type?: string | null },
): string[] {
  const definitions = [...DEFINITIONS].filter(([name, { taskType }]) =>
    taskType === type && ((database_type ?? "") === "" || name === database_type)
  );
  const names = definitions.flatMap(([, { fields }]) => Object.keys(fields));
  const hasKinds = [...DEFINITIONS.values()].filter(({ taskType }) => taskType === type).length > 1;
  const common = hasKinds ? ["database_name", "database_type"] : [];
  return [...new Set([...common, ...names])].filter((name) => name in TASK_FIELDS);
}
