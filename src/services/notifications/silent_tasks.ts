/** Warns callers whose change leaves tasks without anybody who is notified of problems. */
import { RUN_FOLLOWERS } from "../../notify/channels/registry.ts";
import type { Sql } from "../../store/database/sql.ts";
import { silentTasks, tasksOfStream } from "../../store/notifications/silent_tasks.ts";

/** Maximum number of tasks that a warning names. */
const NAMED = 10;

/** Returns a warning about those of the tasks whose problems nobody is notified of; an empty list if none. */
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

/** Returns a warning as {@link silentTaskWarnings} does, about the tasks that notify this stream. */
export async function silentTaskWarningsOfStream(sql: Sql, streamId: number): Promise<string[]> {
  return await silentTaskWarnings(sql, await tasksOfStream(sql, streamId));
}
