/** Whether a task still backs up the same: only then does a backup compare with the ones before it. */
import type { BackupTaskRow } from "../../store/tasks/backup_tasks.ts";

/** What decides which bytes are read. */
const SOURCE_FIELDS = [
  "remote_server_id",
  "type",
  "source_path",
  "excluded_paths",
  "isolated_username",
  "database_name",
  "database_type",
  "database_host",
  "database_port",
  "database_username",
  "database_format",
  "excluded_database_tables",
] as const satisfies (keyof BackupTaskRow)[];

/** @param changes Fields that stay as they are may be left out, or be there as they are. */
export function definesAnotherSource(task: BackupTaskRow, changes: Partial<BackupTaskRow>): boolean {
  return SOURCE_FIELDS.some((field) =>
    changes[field] !== undefined && JSON.stringify(changes[field]) !== JSON.stringify(task[field])
  );
}
