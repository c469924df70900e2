/** Results of verifications and drills, and the backups that are due for one. */
import type { BackupRow } from "./backups.ts";
import type { Sql } from "../database/sql.ts";
import { isActive } from "../runs/runs.ts";
import type { RunState } from "../../domain/run.ts";

/**
 * What can find damage of a backup: runs of three kinds, and `listing`. `listing` stands for listing the
 * backup's contents and for downloading from the backup.
 */
export const DAMAGE_FINDERS = ["listing", "restore", "verify", "drill"] as const;
export type DamageFinder = typeof DAMAGE_FINDERS[number];

/**
 * Marks a backup as verified, after the whole backup was read back. Clears damage that was found by reading
 * bytes. Damage that a drill found stays, because a drill can fail although all bytes are intact.
 *
 * @param since When the verification started. Damage that was found later stays.
 */
export async function markVerified(sql: Sql, id: number, since: Date, now: Date): Promise<void> {
  await sql`update backups set verified_at = ${now}, checked_at = ${now} where id = ${id}`;
  await clearDamage(sql, id, ["listing", "restore", "verify"], since);
  await touchTaskCheck(sql, id, now);
}

/**
 * Marks a backup as damaged. Keeps the time of the first report and the reason of the newest one. Returns
 * whether this is the first report.
 */
export async function markDamaged(
  sql: Sql,
  id: number,
  finder: DamageFinder,
  reason: string,
  now: Date,
): Promise<boolean> {
  const [row] = await sql<{ is_first: boolean }[]>`
    update backups set damaged_at = coalesce(backups.damaged_at, ${now}), damage_reason = ${reason},
      checked_at = ${now}
    from (select damaged_at is null as is_first from backups where id = ${id} for update) earlier
    where id = ${id} returning is_first`;
  if (row === undefined) return false;
  await sql`
    insert into backup_damages ${sql({ backup_id: id, found_by: finder, found_at: now, reason })}
    on conflict (backup_id, found_by) do update set found_at = excluded.found_at, reason = excluded.reason`;
  await touchTaskCheck(sql, id, now);
  return row.is_first;
}

/**
 * Deletes the backup's damage reports that `finders` made at `until` or before. If any other report remains,
 * the backup stays damaged.
 */
export async function clearDamage(
  sql: Sql,
  id: number,
  finders: readonly DamageFinder[],
  until: Date,
): Promise<void> {
  await sql`
    delete from backup_damages
    where backup_id = ${id} and found_by = any(${[...finders]}::text[]) and found_at <= ${until}`;
  await sql`
    update backups set damaged_at = case when newest.reason is not null then damaged_at end,
      damage_reason = newest.reason
    from (
      select (
        select reason from backup_damages where backup_id = ${id} order by found_at desc, found_by limit 1
      ) as reason
    ) newest
    where id = ${id}`;
}

async function touchTaskCheck(sql: Sql, id: number, now: Date): Promise<void> {
  await sql`
    update backup_tasks set last_checked_at = ${now}
    where id = (select backup_task_id from backups where id = ${id})`;
}

/**
 * Records a successful drill, in the backup and in its task. The task keeps the result after the backup is
 * deleted.
 *
 * Also clears damage of the backup if a drill recorded it at `since` or earlier. Damage that a verification
 * or a restore found stays, because a drill does not always read the whole backup.
 *
 * @param restoreMs How long the restore took, in milliseconds.
 * @param since When the drill began.
 */
export async function markProven(
  sql: Sql,
  id: number,
  restoreMs: number,
  since: Date,
  now: Date,
): Promise<void> {
  await sql`update backups set proven_at = ${now}, drill_duration_ms = ${restoreMs} where id = ${id}`;
  await clearDamage(sql, id, ["drill"], since);
  await sql`
    update backup_tasks set last_proven_at = ${now}, restore_duration_ms = ${restoreMs}
    where id = (select backup_task_id from backups where id = ${id})`;
}

/** Returns the backup's unfinished verification or drill. Returns undefined if none of this kind exists. */
export async function findActiveCheck(
  sql: Sql,
  backupId: number,
  kind: "verify" | "drill",
): Promise<{ id: number; state: RunState } | undefined> {
  const [row] = await sql<{ id: number; state: RunState }[]>`
    select id, state from runs where backup_id = ${backupId} and kind = ${kind} and finished_at is null`;
  return row;
}

/**
 * Returns an SQL condition: backup `b` of task `t` is due for verification. A backup is due when the task's
 * interval has passed since the backup's last result. For a backup without a result, the interval begins when
 * it was stored.
 *
 * If retention deletes every backup before its interval has passed, no backup ever becomes due in this way.
 * So the task's newest backup is also due when the interval has passed since the last result of any of the
 * task's backups. A verification that gave no result is repeated after a day.
 */
function dueForVerification(sql: Sql, now: Date) {
  const daysAgo = sql`${now}::timestamptz - make_interval(days => t.verify_every)`;
  const recently = sql`verification_queued_at > ${now}::timestamptz - interval '1 day'`;
  const ofTask = sql`select from backups where backup_task_id = t.id`;
  return sql`
    b.removal_requested_at is null and t.paused_at is null and t.verify_every > 0
    and (b.verification_queued_at is null or not b.${recently})
    and not exists (select from runs where backup_id = b.id and kind = 'verify' and finished_at is null)
    and (
      coalesce(b.checked_at, b.created_at) <= ${daysAgo}
      or (
        coalesce(t.last_checked_at, t.created_at) <= ${daysAgo}
        and not exists (${ofTask} and removal_requested_at is null and (created_at, id) > (b.created_at, b.id))
        and not exists (${ofTask} and ${recently})
      )
    )`;
}

/**
 * Returns an SQL condition: the agent of server `s` is connected and supports verifications and drills, and
 * the server runs none of them.
 */
export function isIdle(sql: Sql) {
  return sql`
    s.connection_id is not null and s.agent_protocol >= 2 and not exists (
      select from runs where remote_server_id = s.id and kind in ('verify', 'drill') and ${isActive(sql)}
    )`;
}

/**
 * Returns the ids of servers on which a verification can be started. Such a server has a backup due for
 * verification, and runs no verification or drill. Its agent is connected and supports verifications.
 */
export async function serversWithDueVerifications(sql: Sql, now: Date): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select s.id from remote_servers s
    where ${isIdle(sql)} and exists (
      select from backups b join backup_tasks t on t.id = b.backup_task_id
      where b.remote_server_id = s.id and ${dueForVerification(sql, now)}
    ) order by s.id`;
  return rows.map(({ id }) => id);
}

export interface DueBackup extends BackupRow {
  due_at: Date;
}

/**
 * Returns a backup of the server that is due for verification. If several are due, returns the one whose last
 * result is the oldest. Returns null if none is due, or if the server already runs a verification or drill.
 * Locks the rows of the server and the backup, so that only one control plane gets the backup.
 */
export async function lockDueVerification(sql: Sql, serverId: number, now: Date): Promise<DueBackup | null> {
  if (!(await lockServer(sql, serverId))) return null;
  const [row] = await sql<DueBackup[]>`
    select b.*, least(coalesce(b.checked_at, b.created_at) + make_interval(days => t.verify_every), ${now}) as due_at
    from backups b join backup_tasks t on t.id = b.backup_task_id join remote_servers s on s.id = b.remote_server_id
    where b.remote_server_id = ${serverId} and ${isIdle(sql)} and ${dueForVerification(sql, now)}
    order by coalesce(b.checked_at, b.created_at), b.id limit 1 for update of b skip locked`;
  return row ?? null;
}

/**
 * Locks a server until the transaction ends. Returns false if the server does not exist. If another
 * transaction has locked the server, waits: skipping the server would delay its checks until the next round.
 */
export async function lockServer(sql: Sql, serverId: number): Promise<boolean> {
  const rows = await sql`select from remote_servers where id = ${serverId} for no key update`;
  return rows.length === 1;
}

export async function markVerificationQueued(sql: Sql, id: number, now: Date): Promise<void> {
  await sql`update backups set verification_queued_at = ${now} where id = ${id}`;
}
