/** Holds deliveries until the end of a stream's quiet hours. */
import { classOf, type EventClassName, isClassed } from "../../domain/notifications/event_classes.ts";
import type { NotificationEvent } from "../../domain/notifications/notification.ts";
import { type QuietHours, quietUntil } from "../../domain/notifications/quiet_hours.ts";
import type { Fragment, Sql } from "../database/sql.ts";

/** Returns the columns of the stream `n` that describe its quiet hours. */
export const quietColumns = (sql: Sql): Fragment =>
  sql`n.timezone, n.quiet_from, n.quiet_to, n.quiet_days, n.quiet_except`;

/**
 * Returns the time until which a stream's quiet hours hold a notification event; null if the event is sent at
 * once.
 *
 * @param classes The classes of the event.
 */
export function holdUntil(
  hours: QuietHours,
  classes: readonly EventClassName[],
  now: Date,
  userZone: string,
): Date | null {
  if (classes.some((name) => hours.quiet_except.includes(name))) return null;
  return quietUntil(hours, now, userZone);
}

/** Recomputes until when each held delivery of a stream is held, because the stream's quiet hours changed. */
export async function rescheduleHeldDeliveries(
  sql: Sql,
  stream: QuietHours & { id: number },
  now: Date,
): Promise<void> {
  const held = await sql<{ id: number; event: NotificationEvent }[]>`
    select id, event from notification_deliveries
    where notification_stream_id = ${stream.id} and state = 'waiting' and held order by id for update`;
  const ends = held.map(({ event }) =>
    holdUntil(
      stream,
      isClassed(event.event) ? [classOf(event.event, event.run?.warnings_count)] : [],
      now,
      event.timezone,
    )
  );
  await sql`
    update notification_deliveries d
    set due_at = coalesce(each.held_until, ${now}::timestamptz), held = each.held_until is not null
    from unnest(${held.map(({ id }) => id)}::bigint[], ${
    ends.map((end) => end?.toISOString() ?? null)
  }::text[]::timestamptz[]) each(id, held_until)
    where d.id = each.id`;
}
