/**
 * After a caller changes tasks or streams, checks that somebody is notified of each task's problems. If not,
 * warns the caller.
 */
import { RUN_FOLLOWERS } from "../../notify/channels/registry.ts";
import type { Sql } from "../../store/database/sql.ts";
import { silentTasks, tasksOfStream } from "../../store/notifications/silent_tasks.ts";

/** Maximum number of tasks that a warning names. */
const NAMED = 10;

/**
 * Finds those of the given tasks that have no stream to report their problems. Returns a list with one
 * warning about these tasks. If there are no such tasks, returns an empty list.
 */
export async function silentTaskWarnings(sql: Sql, taskIds: readonly number[]): Promise<string[]> {
  if (taskIds.length === 0) return [];
  const silent = await silentTasks(sql, taskIds, RUN_FOLLOWERS);
  if (silent.length === 0) return [];
  const named = silent.slice(0, NAMED).map(({ id, label }) => `${label} (${id})`).join(", ");
  const more = silent.length > NAMED ? `, and ${silent.length - NAMED} more` : "";
  return [
    `Nobody is notified of problems of these backup tasks: ${named}${more}. ` +
    "Give each a notification stream that gets failures.",
  ];
}

/** Returns what {@link silentTaskWarnings} returns for the tasks that send notifications to this stream. */
export async function silentTaskWarningsOfStream(sql: Sql, streamId: number): Promise<string[]> {
  return await silentTaskWarnings(sql, await tasksOfStream(sql, streamId));
}
