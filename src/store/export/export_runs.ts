/** Decides who may export the control plane's state. */
import { control_plane } from "../../definitions/sources/control_plane.ts";
import type { Sql } from "../database/sql.ts";

/** Returns whether the run backs up the control plane, for a user who is still an administrator. */
export async function mayExport(sql: Sql, runId: number): Promise<boolean> {
  const rows = await sql`
    select from runs r join backup_tasks t on t.id = r.backup_task_id join users u on u.id = r.user_id
    where r.id = ${runId} and r.kind = 'backup' and t.type = ${control_plane.taskType} and t.user_id = u.id and u.is_admin`;
  return rows.length > 0;
}
