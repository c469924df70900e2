/**
 * Decides whether a changed task backs up another source. Backups are compared only with those of the same
 * source.
 */
import { TASK_FIELDS } from "../../definitions/task_fields.ts";
import type { FieldTable } from "../../definitions/fields/field.ts";
import type { BackupTaskRow } from "../../store/tasks/backup_tasks.ts";

const SOURCE_FIELDS = Object.entries(TASK_FIELDS as FieldTable)
  .filter(([, { definesSource }]) => definesSource)
  .map(([name]) => name as keyof BackupTaskRow);

/**
 * Returns whether a change makes a task back up another source.
 *
 * @param changes Columns after the change; unchanged columns may be left out.
 */
export function definesAnotherSource(task: BackupTaskRow, changes: Partial<BackupTaskRow>): boolean {
  return SOURCE_FIELDS.some((field) =>
    changes[field] !== undefined && JSON.stringify(changes[field]) !== JSON.stringify(task[field])
  );
}
