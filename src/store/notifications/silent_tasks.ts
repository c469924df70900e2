/** Finds tasks whose problems are reported to no notification stream. */
import { EVENT_CLASS_NAMES, EVENT_CLASSES } from "../../domain/notifications/event_classes.ts";
import type { Sql } from "../database/sql.ts";
import { isSubscribed } from "./subscriptions.ts";

const ALERTS = EVENT_CLASS_NAMES.filter((name) => EVENT_CLASSES[name].isAlert);

export async function tasksOfStream(sql: Sql, streamId: number): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select backup_task_id as id from backup_task_notification_streams
    where notification_stream_id = ${streamId} order by 1`;
  return rows.map(({ id }) => id);
}

/**
 * Returns the silent tasks among `taskIds`. A task is silent if no notification stream receives its problems:
 * none of its streams is subscribed to a class of notification events that reports problems.
 *
 * @param followers Types of the streams that follow runs. Such a stream gets only one class that reports
 *   problems: `failure`.
 */
export function silentTasks(
  sql: Sql,
  taskIds: readonly number[],
  followers: readonly string[],
): Promise<{ id: number; label: string }[]> {
  return sql<{ id: number; label: string }[]>`
    select t.id, t.label from backup_tasks t
    where t.id = any(${[...taskIds]}::bigint[]) and not exists (
      select from backup_task_notification_streams b
      join notification_streams n on n.id = b.notification_stream_id
      where b.backup_task_id = t.id and case when n.type = any(${[...followers]}::text[])
        then ${isSubscribed(sql, ["failure"])} else ${isSubscribed(sql, ALERTS)} end
    )
    order by t.id`;
}
