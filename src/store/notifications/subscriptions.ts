/** Finds the streams that get an event. */
import { EVENT_CLASSES, type EventClassName } from "../../domain/notifications/event_classes.ts";
import type { Fragment, Sql } from "../database/sql.ts";

/** The streams that an event is addressed to. */
export type Recipients =
  | { taskId: number }
  /** The streams of those tasks of the server that are not paused. */
  | { serverId: number }
  /** All streams of a workspace. If `exceptStreamId` is not null, the stream with this id is left out. */
  | { workspaceId: number; exceptStreamId: number | null };

/** Which streams receive an event: those of `recipients` that meet all of the other conditions. */
export interface Subscribers {
  recipients: Recipients;
  /** The event's classes in {@link EVENT_CLASSES}. A stream must be subscribed to at least one of them. */
  classes: readonly EventClassName[];
  /**
   * Some streams follow runs: they get the start and the end of each run. `types` contains the types of these
   * streams. If `isFor` is true, only streams of these types get the event. If `isFor` is false, only streams
   * of other types get it.
   */
  followers: { types: readonly string[]; isFor: boolean };
  /**
   * The alert that the event reports; absent if the event reports none. If present, a stream gets the event
   * only in two cases: the alert was not reported to the stream yet, or it is time to remind the stream of
   * the alert.
   */
  alert?: ReportedAlert;
}

/** An alert about a problem that might not be over yet. */
export interface ReportedAlert {
  id: number;
  /** When the alert was last reported to any stream; null if it was never reported. */
  told_at: Date | null;
  /** Time of the problem that the current event reports. */
  at: Date;
  /** Time after which a stream is reminded, in milliseconds, if its `remind_after` is null. */
  defaultMs: number;
}

/** Returns whether at least one stream receives the event. */
export async function hasRecipients(sql: Sql, subscribers: Subscribers): Promise<boolean> {
  const rows = await sql`select ${subscribedStreams(sql, subscribers)} limit 1`;
  return rows.length > 0;
}

/**
 * Returns the `from` and `where` of a query for the streams that receive an event. In the query, the table of
 * streams has the alias `n`.
 */
export function subscribedStreams(sql: Sql, { recipients, classes, followers, alert }: Subscribers) {
  const isWanted = sql`${isSubscribed(sql, classes)} and (n.type = any(${[
    ...followers.types,
  ]}::text[])) = ${followers.isFor} and ${isTimeToRemind(sql, alert)}`;
  if ("workspaceId" in recipients) {
    return sql`
      from notification_streams n
      where n.workspace_id = ${recipients.workspaceId} and n.id is distinct from ${recipients.exceptStreamId}::bigint
        and ${isWanted}`;
  }
  const streams = sql`
    from backup_task_notification_streams b join notification_streams n on n.id = b.notification_stream_id`;
  if ("taskId" in recipients) {
    return sql`${streams} where b.backup_task_id = ${recipients.taskId} and ${isWanted}`;
  }
  return sql`
    ${streams} join backup_tasks t on t.id = b.backup_task_id
    where t.remote_server_id = ${recipients.serverId} and t.paused_at is null and ${isWanted}`;
}

/**
 * Returns an SQL condition: the alert was not reported to the stream `n` yet, or it is time to remind the
 * stream. The time of the last report is stored for each stream. A control plane of the previous version
 * stored only one time for each alert, that of the last report to any stream. If there is no time for the
 * stream `n`, the condition uses the alert's time.
 */
function isTimeToRemind(sql: Sql, alert: ReportedAlert | undefined): Fragment {
  if (alert === undefined) return sql`true`;
  const wait = sql`make_interval(secs => coalesce(nullif(n.remind_after, 0), ${
    alert.defaultMs / 1000
  }::double precision))`;
  return sql`coalesce(
    (select coalesce(n.remind_after, 1) > 0 and r.told_at <= ${alert.at}::timestamptz - ${wait}
      from alert_reports r where r.alert_id = ${alert.id} and r.notification_stream_id = n.id),
    ${alert.told_at}::timestamptz <= ${alert.at}::timestamptz - ${wait},
    true
  )`;
}

/**
 * Returns an SQL condition that is true if the stream `n` subscribes to at least one of the event classes.
 * `isSubscribed` in `src/domain` has the same rule.
 */
export function isSubscribed(sql: Sql, classes: readonly EventClassName[]): Fragment {
  const flags = {
    on_success: sql`n.on_success`,
    on_failure: sql`n.on_failure`,
    either: sql`(n.on_success or n.on_failure)`,
  };
  const each = classes.map((name) => {
    const { group, isDefault } = EVENT_CLASSES[name];
    return sql`coalesce((n.events->>${name})::boolean, ${isDefault ? flags[group] : sql`false`})`;
  });
  return sql`(${each.reduce((all, one) => sql`${all} or ${one}`)})`;
}
