/** Finds tasks that are due for a restore drill. */
import { DRILLED_ENGINES } from "../../definitions/sources/registry.ts";
import { type DueBackup, isIdle, lockServer } from "../backups/backup_checks.ts";
import type { Sql } from "../database/sql.ts";

/**
 * Days from a task's creation until its first drill is due. If the task has no backup by then, the drill
 * waits for the first backup.
 */
const FIRST_DRILL_AFTER = 1;

/**
 * Returns SQL for when the next drill of task `t` is due. This is `drill_every` days after the last
 * successful drill. Before the first successful drill, it is `FIRST_DRILL_AFTER` days after the task was
 * created.
 */
export function drillDueAt(sql: Sql) {
  return sql`coalesce(
    t.last_proven_at + make_interval(days => t.drill_every),
    t.created_at + make_interval(days => least(t.drill_every, ${FIRST_DRILL_AFTER}))
  )`;
}

/**
 * Returns an SQL condition: a drill of backup `b` of task `t` on server `s` is due, and can start now. A
 * failed drill is repeated after a day.
 */
function isDue(sql: Sql, now: Date) {
  return sql`
    t.paused_at is null and t.drill_every > 0 and ${isIdle(sql)}
    and b.removal_requested_at is null and b.damaged_at is null
    and b.encryption <> 'recipients' and b.engine = any(${[...DRILLED_ENGINES]}::text[])
    and ${drillDueAt(sql)} <= ${now}::timestamptz
    and coalesce(t.drill_queued_at, '-infinity') <= ${now}::timestamptz - interval '1 day'`;
}

function candidates(sql: Sql) {
  return sql`
    backups b join backup_tasks t on t.id = b.backup_task_id join remote_servers s on s.id = b.remote_server_id`;
}

export async function serversWithDueDrills(sql: Sql, now: Date): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select distinct s.id from ${candidates(sql)} where ${isDue(sql, now)} order by s.id`;
  return rows.map(({ id }) => id);
}

/**
 * Returns a backup to drill on this server. Chooses the task whose drill has been due for longest, and then
 * the newest backup of this task. Locks backup, task and server. Returns null if no drill is due, or if
 * another control plane has locked the backup.
 */
export async function lockDueDrill(sql: Sql, serverId: number, now: Date): Promise<DueBackup | null> {
  if (!(await lockServer(sql, serverId))) return null;
  const [row] = await sql<DueBackup[]>`
    select b.*, ${drillDueAt(sql)} as due_at from ${candidates(sql)}
    where s.id = ${serverId} and ${isDue(sql, now)}
    order by coalesce(t.drill_queued_at, t.last_proven_at, '-infinity'), t.id, b.created_at desc, b.id desc
    limit 1 for update of b, t skip locked`;
  return row ?? null;
}

export async function noteDrillQueued(sql: Sql, taskId: number, now: Date): Promise<void> {
  await sql`update backup_tasks set drill_queued_at = ${now} where id = ${taskId}`;
}
