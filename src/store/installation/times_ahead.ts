/**
 * Corrects times that were stored while a clock was ahead. Without a correction, runs and deliveries would
 * wait until those times.
 */
import type { Fragment, Sql } from "../database/sql.ts";

/**
 * Maximum waits in milliseconds, one for each kind of stored time. When such a time is stored, it is at most
 * this far in the future.
 */
export interface LongestWaits {
  /** Longest wait until a run's deadline, by the state of the run. */
  readonly run: Readonly<Record<"queued" | "leased" | "running" | "cancelling", number>>;
  readonly lease: number;
  readonly delivery: number;
  readonly deliveryLease: number;
  readonly removal: number;
}

/**
 * Tolerated difference between clocks, in milliseconds. A correct clock stores each kind of time with at most
 * a certain value. If a stored time is later than this maximum by more than `STEP`, it was stored by a clock
 * that was ahead.
 */
const STEP = 1_000;

/**
 * Resets each stored time that is too far ahead of `now`. `longest` contains the maximum for each kind of
 * time. Returns the number of changed rows.
 */
export async function resetFutureTimes(sql: Sql, now: Date, longest: LongestWaits): Promise<number> {
  const later = (ms: number) => new Date(now.getTime() + ms);
  const step = later(STEP);
  const deadline = sql`(case state ${
    Object.entries(longest.run).map(([state, ms]) => sql`when ${state} then ${later(ms)}::timestamptz `)
  } end)`;
  const changes = [
    sql`
      update runs set deadline_at = least(deadline_at, ${deadline}), lease_expires_at = least(lease_expires_at, ${
      later(longest.lease)
    }), moved_at = least(moved_at, ${now})
      where id in (
        select id from runs
        where deadline_at > ${deadline} + ${STEP} * interval '1 millisecond'
          or (state = 'running' and moved_at > ${step})
        order by id for update skip locked
      )`,
    sql`
      update notification_streams
      set next_attempt_at = null, last_delivery_at = ${now}
      where last_delivery_at > ${step}`,
    sql`
      update notification_deliveries
      set due_at = ${now}, created_at = least(created_at, ${now}),
        first_attempt_at = least(first_attempt_at, ${now}),
        leased_until = least(leased_until, ${later(longest.deliveryLease)})
      where state = 'waiting' and (created_at > ${step} or first_attempt_at > ${step}
        or due_at > ${later(longest.delivery + STEP)} or leased_until > ${
      later(longest.deliveryLease + STEP)
    })`,
    sql`
      update alerts
      set told_at = least(told_at, ${now}), last_occurred_at = least(last_occurred_at, ${now})
      where closed_at is null and (told_at > ${step} or last_occurred_at > ${step})`,
    sql`update alert_reports set told_at = ${now} where told_at > ${step}`,
    removal(sql, sql`backups`, sql`removal_requested_at is not null and deletes_at is null`),
    removal(sql, sql`leftovers`, sql`true`),
    sql`update replicas set heartbeat_at = ${now} where heartbeat_at > ${step}`,
    sql`update update_checks set checked_at = ${now} where checked_at > ${step}`,
  ];
  let changed = 0;
  for (const change of changes) changed += (await change).count;
  return changed;

  function removal(sql: Sql, table: Fragment, waits: Fragment) {
    return sql`
      update ${table} set next_removal_at = ${now}
      where ${waits} and next_removal_at > ${later(longest.removal + STEP)}`;
  }
}
