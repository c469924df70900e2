/**
 * Decides whether a change makes a task back up another source. This matters because a backup is compared
 * only with backups of the same source.
 */
import { TASK_FIELDS } from "../../definitions/task_fields.ts";
import { storedValue } from "../../definitions/fields/columns.ts";
import type { FieldTable } from "../../definitions/fields/field.ts";
import type { BackupTaskRow } from "../../store/tasks/backup_tasks.ts";

const SOURCE_FIELDS = Object.entries(TASK_FIELDS as FieldTable).filter(([, { definesSource }]) =>
  definesSource
);

/**
 * Returns whether a change makes a task back up another source.
 *
 * @param changes Columns after the change; unchanged columns may be left out.
 */
export function definesAnotherSource(task: BackupTaskRow, changes: Partial<BackupTaskRow>): boolean {
  const changed = { ...task, ...changes };
  return SOURCE_FIELDS.some(([name, field]) =>
    JSON.stringify(storedValue(name, field, task)) !== JSON.stringify(storedValue(name, field, changed))
  );
}
