/** Lists the deliveries of a stream: those that wait, and those of the last week. */
import type { DeliveryState, NotificationEvent } from "../../domain/notifications/notification.ts";
import type { PageWindow } from "../../domain/page.ts";
import { allOf, type ListOrder, orderBy, type Page } from "../database/page.ts";
import type { Sql } from "../database/sql.ts";

export interface DeliveryRow {
  id: number;
  /** Id of the message that contained the event. All events of one message have the same id. */
  message_id: string;
  event: NotificationEvent;
  state: DeliveryState;
  attempts: number;
  /** Why the last attempt failed; null if no attempt has failed. */
  error: string | null;
  created_at: Date;
  first_attempt_at: Date | null;
  due_at: Date;
  finished_at: Date | null;
}

/** Filter of a listing of deliveries. A field that is absent does not filter. */
export interface DeliveryFilter {
  readonly state?: DeliveryState;
  readonly event?: string;
}

const SORTS = { created_at: "created_at" };

export async function listDeliveries(
  sql: Sql,
  streamId: number,
  { offset, limit }: PageWindow,
  { event, sort, state }: DeliveryFilter & ListOrder = {},
): Promise<Page<DeliveryRow>> {
  const where = allOf(sql, [
    sql`notification_stream_id = ${streamId}`,
    state === undefined ? null : sql`state = ${state}`,
    event === undefined ? null : sql`event->>'event' = ${event}`,
  ]);
  const rows = await sql<DeliveryRow[]>`
    select id, coalesce(batch_id, message_id) as message_id, event, state, attempts, error, created_at,
      first_attempt_at, due_at, finished_at
    from notification_deliveries where ${where} ${orderBy(sql, sort, SORTS)} limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`
    select count(*) as total from notification_deliveries where ${where}`;
  return { rows, total: count!.total };
}
