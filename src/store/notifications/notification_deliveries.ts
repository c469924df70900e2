/**
 * Stores the outbox of notifications. Each row is one event for one stream. The event waits until it is
 * sent or given up.
 */
import type { NotificationEvent } from "../../domain/notifications/notification.ts";
import { transaction } from "../database/database.ts";
import type { Database, Sql } from "../database/sql.ts";

/** Deliveries to one stream that this replica has leased, to send them as one message. */
export interface ClaimedDelivery {
  /**
   * Id of the message. Together with `attempts`, it identifies an attempt, so that the late result of an
   * older attempt is ignored.
   */
  message_id: string;
  /** At least one event, in the order in which they happened. */
  events: NotificationEvent[];
  /** Number of this attempt, from 1. */
  attempts: number;
  first_attempt_at: Date;
  notification_stream_id: number;
  type: string;
  value_encrypted: string;
  signing_secret_encrypted: string | null;
  /** Number of failed attempts to send to the stream since its last success, without the current attempt. */
  failures: number;
}

export interface ClaimLimits {
  /** Maximum number of streams to claim. */
  streams: number;
  /** Whether to include streams whose last attempt failed. */
  failing: boolean;
  /** Types of streams to which this replica can send. */
  types: readonly string[];
  /**
   * Ids of the streams to which this replica is sending now. These streams are not claimed, even if their
   * leases seem to have expired: after a change of a clock, a valid lease might look expired.
   */
  except: readonly number[];
  /**
   * Returns the maximum number of events in one message to a stream of this type. Successes do not count
   * towards it. Returns null if a stream of this type gets each event as its own message.
   */
  events(type: string): number | null;
}

/**
 * Maximum number of successes in one message. If there is no room to list them, the message says how many
 * there are.
 */
const MAX_SUCCESSES = 1000;

/**
 * Leases the due deliveries of up to `limits.streams` streams, and returns one message for each stream.
 * Streams without failures come first. Skips streams to which a replica is already sending. If a message has
 * to be sent again, it contains the same events as before.
 */
export function claimDeliveries(
  database: Database,
  now: Date,
  leasedUntil: Date,
  limits: ClaimLimits,
): Promise<ClaimedDelivery[]> {
  return transaction(database, async (sql) => {
    const streams = await sql<
      Pick<
        ClaimedDelivery,
        "notification_stream_id" | "type" | "value_encrypted" | "signing_secret_encrypted" | "failures"
      >[]
    >`
      select n.id as notification_stream_id, n.type, n.value_encrypted, n.signing_secret_encrypted, n.failures
      from notification_streams n
      where (n.next_attempt_at is null or n.next_attempt_at <= ${now}) and (${limits.failing} or n.failures = 0)
        and n.type = any(${[...limits.types]}::text[]) and n.id <> all(${[...limits.except]}::bigint[])
        and exists (
          select from notification_deliveries d
          where d.notification_stream_id = n.id and d.state = 'waiting' and d.due_at <= ${now}
        ) and not exists (
          select from notification_deliveries d
          where d.notification_stream_id = n.id and d.state = 'waiting' and d.leased_until > ${now}
        )
      order by n.failures > 0, n.last_delivery_at nulls first, n.id
      limit ${limits.streams} for no key update of n skip locked`;
    const claimed: ClaimedDelivery[] = [];
    for (const stream of streams) {
      const batch = await lease(sql, stream.notification_stream_id, limits.events(stream.type), {
        now,
        leasedUntil,
      });
      if (batch !== null) claimed.push({ ...stream, ...batch });
    }
    return claimed;
  });
}

async function lease(
  sql: Sql,
  streamId: number,
  limit: number | null,
  { now, leasedUntil }: { now: Date; leasedUntil: Date },
): Promise<Pick<ClaimedDelivery, "message_id" | "events" | "attempts" | "first_attempt_at"> | null> {
  const rows = await sql<
    { id: number; message_id: string; event: NotificationEvent; attempts: number; first_attempt_at: Date }[]
  >`
    with waiting as (
      select id, batch_id, due_at, row_number() over (
        partition by event->>'event' = 'backup.succeeded', batch_id order by due_at, id
      ) as place, event->>'event' = 'backup.succeeded' as is_success,
        event->>'event' = 'summary' as is_summary
      from notification_deliveries where notification_stream_id = ${streamId} and state = 'waiting'
    ), tried as (
      select batch_id from waiting where batch_id is not null order by id limit 1
    ), next as (
      select id, is_summary from waiting where due_at <= ${now} order by id limit 1
    ), chosen as (
      -- Another replica may have taken the stream after the look-up of streams, and before its row was locked.
      select id from waiting
      where not exists (
        select from notification_deliveries
        where notification_stream_id = ${streamId} and state = 'waiting' and leased_until > ${now}
      ) and (batch_id = (select batch_id from tried) or (
        (select batch_id from tried) is null and due_at <= ${now}
          and case when ${limit}::int is null or (select is_summary from next) then id = (select id from next)
            else not is_summary and place <= case when is_success then ${MAX_SUCCESSES}::int else ${limit}::int end end
      ))
    ), first as (
      select coalesce(batch_id, message_id) as id from notification_deliveries
      where id = (select min(id) from chosen)
    )
    update notification_deliveries d
    set leased_until = ${leasedUntil},
      attempts = (select max(attempts) + 1 from notification_deliveries where id in (select id from chosen)),
      batch_id = (select id from first),
      first_attempt_at = coalesce(d.first_attempt_at, ${now})
    where d.id in (select id from chosen)
    returning d.id, d.batch_id as message_id, d.event, d.attempts, d.first_attempt_at`;
  if (rows.length === 0) return null;
  const ordered = [...rows].sort((a, b) => a.id - b.id);
  const { message_id, first_attempt_at } = ordered[0]!;
  const { attempts } = ordered[0]!;
  return { message_id, first_attempt_at, attempts, events: ordered.map(({ event }) => event) };
}

type Claim = Pick<ClaimedDelivery, "message_id" | "notification_stream_id" | "attempts">;

const isOf = (sql: Sql, { message_id, notification_stream_id, attempts }: Claim) =>
  sql`notification_stream_id = ${notification_stream_id} and batch_id = ${message_id}
    and attempts = ${attempts} and state = 'waiting'`;

/**
 * Records that a message was sent or given up. If another replica has leased the message meanwhile, changes
 * nothing and returns false.
 */
export async function endDelivery(
  sql: Sql,
  claim: Claim,
  state: "sent" | "given_up",
  error: string | null,
  now: Date,
): Promise<boolean> {
  const { count } = await sql`
    update notification_deliveries
    set state = ${state}, error = ${error}, finished_at = ${now}, leased_until = null
    where ${isOf(sql, claim)}`;
  return count > 0;
}

/**
 * Schedules another attempt at `dueAt`. Returns false, and changes nothing, if another replica has leased the
 * message meanwhile.
 */
export async function postponeDelivery(
  sql: Sql,
  claim: Claim,
  error: string,
  dueAt: Date,
): Promise<boolean> {
  const { count } = await sql`
    update notification_deliveries set error = ${error}, due_at = ${dueAt}, leased_until = null
    where ${isOf(sql, claim)}`;
  return count > 0;
}

/** Ends the lease of an attempt that was aborted without a result. The attempt does not count. */
export async function releaseDelivery(sql: Sql, claim: Claim): Promise<void> {
  await sql`
    update notification_deliveries set leased_until = null, attempts = attempts - 1 where ${
    isOf(sql, claim)
  }`;
}

/**
 * Makes a stream's waiting deliveries due at once, except those that quiet hours hold. Called after a change
 * of the stream's address. The time after which a delivery is given up starts anew.
 */
export async function restartDeliveries(sql: Sql, streamId: number, now: Date): Promise<void> {
  await sql`
    update notification_deliveries set due_at = ${now}, first_attempt_at = null
    where notification_stream_id = ${streamId} and state = 'waiting' and not held`;
}

/**
 * Returns the earliest time at which a delivery to a stream of these types can be tried. Returns null if no
 * such delivery waits. Deliveries to the same stream are tried one at a time: the next one waits until the
 * lease of the current one ends.
 */
export async function nextDelivery(sql: Sql, types: readonly string[]): Promise<Date | null> {
  const [row] = await sql<{ at: Date | null }[]>`
    select min(greatest(each.at, n.next_attempt_at)) as at from (
      select notification_stream_id as id, greatest(min(due_at), max(leased_until)) as at
      from notification_deliveries where state = 'waiting' group by notification_stream_id
    ) each join notification_streams n on n.id = each.id
    where n.type = any(${[...types]}::text[])`;
  return row!.at;
}

export async function deleteDeliveriesFinishedBefore(sql: Sql, before: Date): Promise<void> {
  await sql`delete from notification_deliveries where finished_at < ${before}`;
}
