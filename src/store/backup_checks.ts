/** Backups: what verifications say of them, and which are due. */
import type { BackupRow } from "./backups.ts";
import type { Sql } from "./database.ts";
import type { RunState } from "../domain/run.ts";

/**
 * Whole, as all of it was read back. Damage that was found while it was read stays.
 * @param since When the reading began.
 */
export async function markVerified(sql: Sql, id: number, since: Date, now: Date): Promise<void> {
  await sql`
    update backups set verified_at = ${now}, checked_at = ${now},
      damaged_at = case when damaged_at > ${since} then damaged_at end,
      damage_reason = case when damaged_at > ${since} then damage_reason end
    where id = ${id}`;
}

/** Damaged since the first time that it was found to be; the reason is the newest. */
export async function markDamaged(sql: Sql, id: number, reason: string, now: Date): Promise<void> {
  await sql`
    update backups set damaged_at = coalesce(damaged_at, ${now}), damage_reason = ${reason}, checked_at = ${now}
    where id = ${id}`;
}

/** The backup's run of that kind that is not over. */
export async function findActiveCheck(
  sql: Sql,
  backupId: number,
  kind: "verify",
): Promise<{ id: number; state: RunState } | undefined> {
  const [row] = await sql<{ id: number; state: RunState }[]>`
    select id, state from runs where backup_id = ${backupId} and kind = ${kind} and finished_at is null`;
  return row;
}

/** Since the last answer, or since it was stored, the task's days have passed; what failed is tried again after one. */
function dueForVerification(sql: Sql, now: Date) {
  return sql`
    b.removal_requested_at is null and t.paused_at is null and t.verify_every > 0
    and coalesce(b.checked_at, b.created_at) <= ${now}::timestamptz - make_interval(days => t.verify_every)
    and coalesce(b.verification_queued_at, '-infinity') <= ${now}::timestamptz - interval '1 day'
    and not exists (select from runs where backup_id = b.id and kind = 'verify' and finished_at is null)`;
}

function isIdle(sql: Sql) {
  return sql`
    not exists (select from runs where remote_server_id = s.id and kind in ('verify', 'drill') and finished_at is null)`;
}

/** Servers with a connected agent that knows verifications, none at work, and a backup that is due. */
export async function serversWithDueVerifications(sql: Sql, now: Date): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select s.id from remote_servers s
    where s.connection_id is not null and s.agent_protocol >= 2 and ${isIdle(sql)} and exists (
      select from backups b join backup_tasks t on t.id = b.backup_task_id
      where b.remote_server_id = s.id and ${dueForVerification(sql, now)}
    ) order by s.id`;
  return rows.map(({ id }) => id);
}

export interface DueBackup extends BackupRow {
  due_at: Date;
}

/**
 * The server's backup whose last answer is the oldest, locked with the server: of several control planes one gets it. None while
 * another check is at work there.
 */
export async function lockDueVerification(sql: Sql, serverId: number, now: Date): Promise<DueBackup | null> {
  const [server] = await sql`
    select from remote_servers where id = ${serverId} for no key update skip locked`;
  if (server === undefined) return null;
  const [row] = await sql<DueBackup[]>`
    select b.*, coalesce(b.checked_at, b.created_at) + make_interval(days => t.verify_every) as due_at
    from backups b join backup_tasks t on t.id = b.backup_task_id join remote_servers s on s.id = b.remote_server_id
    where b.remote_server_id = ${serverId} and ${isIdle(sql)} and ${dueForVerification(sql, now)}
    order by coalesce(b.checked_at, b.created_at), b.id limit 1 for update of b skip locked`;
  return row ?? null;
}

export async function noteVerificationQueued(sql: Sql, id: number, now: Date): Promise<void> {
  await sql`update backups set verification_queued_at = ${now} where id = ${id}`;
}
