/** Stores hashes of tasks' trigger tokens. With such a token, another system can start runs of the task. */
import type { Sql } from "../database/sql.ts";

export interface TriggerRow {
  token_hash: string;
  last_used_at: Date | null;
  /** The workspace of the task. */
  workspace_id: number;
}

/** Stores the hash of a task's new token. If the task has a token, the new one replaces it. */
export async function setTrigger(sql: Sql, taskId: number, tokenHash: string, now: Date): Promise<void> {
  await sql`
    insert into task_triggers (backup_task_id, token_hash, created_at) values (${taskId}, ${tokenHash}, ${now})
    on conflict (backup_task_id) do update
      set token_hash = excluded.token_hash, created_at = excluded.created_at, last_used_at = null`;
}

/**
 * Records `now` as the time when a task's token was last used. Changes nothing if the recorded time is later
 * than `before`. Also changes nothing if `tokenHash` is not the hash of the task's current token.
 */
export async function touchTrigger(
  sql: Sql,
  taskId: number,
  tokenHash: string,
  now: Date,
  before: Date,
): Promise<void> {
  await sql`
    update task_triggers set last_used_at = ${now}
    where backup_task_id = ${taskId} and token_hash = ${tokenHash}
      and (last_used_at is null or last_used_at <= ${before})`;
}

/** Deletes the token of a task. Returns whether there was one. */
export async function deleteTrigger(sql: Sql, taskId: number): Promise<boolean> {
  const { count } = await sql`delete from task_triggers where backup_task_id = ${taskId}`;
  return count === 1;
}

/** Returns a task's trigger, with the hash of its token. The task can be of any workspace. */
export async function findTrigger(sql: Sql, taskId: number): Promise<TriggerRow | undefined> {
  const [row] = await sql<TriggerRow[]>`
    select token_hash, last_used_at, workspace_id from task_triggers join backup_tasks on id = backup_task_id
    where backup_task_id = ${taskId}`;
  return row;
}
