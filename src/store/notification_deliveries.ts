/** The outbox of notifications: one row for each stream and event, until it is sent or given up. */
import type { Audience, NotificationEvent } from "../domain/notification.ts";
import type { NotificationStreamType } from "../domain/notification_stream.ts";
import type { Sql } from "./database.ts";

/** What of the task a notification tells, beside what the caller knows. */
export interface NotifiedTask {
  timezone: string;
  task: { id: number; label: string; type: string };
  server: { id: number; label: string } | null;
}

/** A delivery that this replica may make until its lease ends. */
export interface ClaimedDelivery {
  id: number;
  message_id: string;
  event: NotificationEvent;
  /** Counted from 1: also what fences a late answer of an older try. */
  attempts: number;
  first_attempt_at: Date;
  notification_stream_id: number;
  type: NotificationStreamType;
  value_encrypted: string;
}

/** @param serverId The run's, which need not be the task's. */
export async function findNotifiedTask(
  sql: Sql,
  taskId: number,
  serverId: number | null,
): Promise<NotifiedTask | undefined> {
  const [row] = await sql<NotifiedTask[]>`
    select u.timezone, json_build_object('id', t.id, 'label', t.label, 'type', t.type) as task,
      case when s.id is not null then json_build_object('id', s.id, 'label', s.label) end as server
    from backup_tasks t join users u on u.id = t.user_id
    left join remote_servers s on s.id = ${serverId}
    where t.id = ${taskId}`;
  return row;
}

export async function findNotifiedBackup(
  sql: Sql,
  id: number,
): Promise<{ id: number; file_name: string; size: number; created_at: Date } | undefined> {
  const [row] = await sql<{ id: number; file_name: string; size: number; created_at: Date }[]>`
    select id, file_name, size, created_at from backups where id = ${id}`;
  return row;
}

/** Whether anybody is told. */
export async function hasAudience(sql: Sql, taskId: number, audience: Audience): Promise<boolean> {
  const rows = await sql`select ${streamsOf(sql, taskId, audience)} limit 1`;
  return rows.length > 0;
}

/** One row for each of the task's streams that is to be told. Returns how many. */
export async function insertDeliveries(
  sql: Sql,
  taskId: number,
  audience: Audience,
  key: string,
  event: NotificationEvent,
  now: Date,
): Promise<number> {
  const { count } = await sql`
    insert into notification_deliveries (notification_stream_id, event_key, event, state, due_at, created_at)
    select n.id, ${key}, ${sql.json(event as never)}, 'waiting', ${now}, ${now}
    ${streamsOf(sql, taskId, audience)} order by n.id
    on conflict (notification_stream_id, event_key) do nothing`;
  return count;
}

function streamsOf(sql: Sql, taskId: number, audience: Audience) {
  const wants = {
    success: sql`n.on_success`,
    failure: sql`n.on_failure`,
    any: sql`(n.on_success or n.on_failure)`,
  };
  return sql`
    from backup_task_notification_streams b join notification_streams n on n.id = b.notification_stream_id
    where b.backup_task_id = ${taskId} and ${wants[audience]}`;
}

/**
 * The oldest due row of each of up to `limit` streams that nobody is at, leased. One at a time a stream keeps their order, and
 * keeps one that does not answer from holding up the others.
 */
export async function claimDeliveries(
  sql: Sql,
  now: Date,
  leasedUntil: Date,
  limit: number,
): Promise<ClaimedDelivery[]> {
  const isFree = sql`(d.leased_until is null or d.leased_until <= ${now})`;
  const isDue = sql`d.state = 'waiting' and d.due_at <= ${now}`;
  return await sql<ClaimedDelivery[]>`
    with streams as materialized (
      select n.id, n.type, n.value_encrypted from notification_streams n
      where exists (
        select from notification_deliveries d where d.notification_stream_id = n.id and ${isDue} and ${isFree}
      ) and not exists (
        select from notification_deliveries d
        where d.notification_stream_id = n.id and d.state = 'waiting' and d.leased_until > ${now}
      ) order by n.last_delivery_at nulls first, n.id limit ${limit} for no key update of n skip locked
    ), chosen as materialized (
      select s.type, s.value_encrypted, (
        select d.id from notification_deliveries d
        where d.notification_stream_id = s.id and ${isDue} and ${isFree} order by d.due_at, d.id limit 1
      ) as delivery_id from streams s
    )
    update notification_deliveries d
    set leased_until = ${leasedUntil}, attempts = d.attempts + 1,
      first_attempt_at = coalesce(d.first_attempt_at, ${now})
    from chosen where d.id = chosen.delivery_id and ${isDue} and ${isFree}
    returning d.id, d.message_id, d.event, d.attempts, d.first_attempt_at, d.notification_stream_id,
      chosen.type, chosen.value_encrypted`;
}

/** False where the lease was lost to another replica meanwhile: nothing is changed then. */
export async function endDelivery(
  sql: Sql,
  { id, attempts }: Pick<ClaimedDelivery, "id" | "attempts">,
  state: "sent" | "given_up",
  error: string | null,
  now: Date,
): Promise<boolean> {
  const { count } = await sql`
    update notification_deliveries set state = ${state}, error = ${error}, finished_at = ${now}, leased_until = null
    where id = ${id} and attempts = ${attempts} and state = 'waiting'`;
  return count === 1;
}

/** To be tried again; false as above. */
export async function postponeDelivery(
  sql: Sql,
  { id, attempts }: Pick<ClaimedDelivery, "id" | "attempts">,
  error: string,
  dueAt: Date,
): Promise<boolean> {
  const { count } = await sql`
    update notification_deliveries set error = ${error}, due_at = ${dueAt}, leased_until = null
    where id = ${id} and attempts = ${attempts} and state = 'waiting'`;
  return count === 1;
}

/** The other side asked to be left alone until then. */
export async function postponeStream(sql: Sql, streamId: number, until: Date): Promise<void> {
  await sql`
    update notification_deliveries set due_at = greatest(due_at, ${until})
    where notification_stream_id = ${streamId} and state = 'waiting'`;
}

/** A try that was broken off before it came to anything does not count. */
export async function releaseDelivery(
  sql: Sql,
  { id, attempts }: Pick<ClaimedDelivery, "id" | "attempts">,
): Promise<void> {
  await sql`
    update notification_deliveries set leased_until = null, attempts = attempts - 1
    where id = ${id} and attempts = ${attempts} and state = 'waiting'`;
}

/** The stream has another address: what waits is tried there, with a whole day to come. */
export async function restartDeliveries(sql: Sql, streamId: number, now: Date): Promise<void> {
  await sql`
    update notification_deliveries set due_at = ${now}, first_attempt_at = null
    where notification_stream_id = ${streamId} and state = 'waiting'`;
}

/** When the next one may be tried; null where none waits. While a replica is at a stream, what else waits for it waits for that. */
export async function nextDelivery(sql: Sql): Promise<Date | null> {
  const [row] = await sql<{ at: Date | null }[]>`
    select min(at) as at from (
      select greatest(min(due_at), max(leased_until)) as at from notification_deliveries
      where state = 'waiting' group by notification_stream_id
    ) each`;
  return row!.at;
}

export async function deleteDeliveriesFinishedBefore(sql: Sql, before: Date): Promise<void> {
  await sql`delete from notification_deliveries where finished_at < ${before}`;
}
