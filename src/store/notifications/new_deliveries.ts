/** Inserts events as deliveries, one for each stream that gets the event. */
import type { NotificationEvent } from "../../domain/notifications/notification.ts";
import type { QuietHours } from "../../domain/notifications/quiet_hours.ts";
import type { Sql } from "../database/sql.ts";
import { holdUntil, quietColumns } from "./held_deliveries.ts";
import { subscribedStreams, type Subscribers } from "./subscriptions.ts";

export interface NewDelivery extends Subscribers {
  /** Identifies the event. A stream gets only one delivery with the same key. */
  key: string;
  event: NotificationEvent;
}

/** Inserts one delivery for each stream that receives the event. Returns the ids of these streams. */
export async function insertDeliveries(
  sql: Sql,
  { key, event, ...subscribers }: NewDelivery,
  now: Date,
): Promise<number[]> {
  const streams = await sql<HoldingStream[]>`
    select distinct n.id, ${quietColumns(sql)} ${subscribedStreams(sql, subscribers)} order by n.id`;
  // Quiet hours do not hold events for streams that follow runs. The services behind these streams raise a
  // false alarm if a message is late.
  const ends = streams.map((stream) =>
    subscribers.followers.isFor ? null : holdUntil(stream, subscribers.classes, now, event.timezone)
  );
  return await insertRows(sql, { key, event, streams, ends }, now);
}

export async function insertDelivery(
  sql: Sql,
  stream: HoldingStream,
  { classes, event, key }: Pick<NewDelivery, "classes" | "event" | "key">,
  now: Date,
): Promise<void> {
  const ends = [holdUntil(stream, classes, now, event.timezone)];
  await insertRows(sql, { key, event, streams: [stream], ends }, now);
}

type HoldingStream = QuietHours & { id: number };

async function insertRows(
  sql: Sql,
  { key, event, streams, ends }: {
    key: string;
    event: NotificationEvent;
    streams: readonly HoldingStream[];
    /** For each stream, when the quiet hours end that hold its delivery; null if the delivery is due now. */
    ends: readonly (Date | null)[];
  },
  now: Date,
): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    insert into notification_deliveries
      (notification_stream_id, event_key, event, state, due_at, held, created_at)
    select id, ${key}, ${
    sql.json(event as never)
  }::jsonb, 'waiting', coalesce(held_until, ${now}::timestamptz),
      held_until is not null, ${now}::timestamptz
    from unnest(${streams.map(({ id }) => id)}::bigint[], ${
    ends.map((end) => end?.toISOString() ?? null)
  }::text[]::timestamptz[]) each(id, held_until)
    join notification_streams n using (id)
    order by id
    on conflict (notification_stream_id, event_key) do nothing
    returning notification_stream_id as id`;
  return rows.map(({ id }) => id);
}
