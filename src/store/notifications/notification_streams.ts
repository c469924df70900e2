/** Stores notification streams. A stream's value is encrypted, because it is an address or contains a key. */
import { type Owner, ownerColumns } from "../../domain/access/owner.ts";
import type { EventChoices } from "../../domain/notifications/event_classes.ts";
import type { Columns } from "../../definitions/fields/field.ts";
import type { NotificationStreamSettings } from "../../definitions/notification_stream_fields.ts";
import type { PageWindow } from "../../domain/page.ts";
import type { Sql } from "../database/sql.ts";
import { allOf, containsText, type ListOrder, orderBy, type Page } from "../database/page.ts";

export interface NotificationStreamRow extends Columns<NotificationStreamSettings> {
  id: number;
  user_id: number;
  workspace_id: number;
  label: string;
  /** Name of the channel. */
  type: string;
  value_encrypted: string;
  /** Encrypted key with which messages are signed; null if they are not signed. */
  signing_secret_encrypted: string | null;
  on_success: boolean;
  on_failure: boolean;
  /**
   * Event classes for which the stream's choice differs from `on_success` and `on_failure`. True: the stream
   * gets the class. False: it does not.
   */
  events: EventChoices;
  /** When the next summary is due; null if the stream gets none. */
  summary_due_at: Date | null;
  last_delivery_at: Date | null;
  /** Why some or all recipients did not get the last message; null if all of them got it. */
  last_delivery_error: string | null;
  /** No attempt is made before this time. Null if the next attempt can be made at once. */
  next_attempt_at: Date | null;
  /** How many attempts have failed since the last accepted message. */
  failures: number;
  failing_since: Date | null;
  created_at: Date;
  updated_at: Date;
}

export type NewNotificationStream =
  & Columns<NotificationStreamSettings>
  & Pick<
    NotificationStreamRow,
    | "label"
    | "type"
    | "value_encrypted"
    | "signing_secret_encrypted"
    | "on_success"
    | "on_failure"
    | "events"
    | "summary_due_at"
  >;

export async function insertNotificationStream(
  sql: Sql,
  owner: Owner,
  stream: NewNotificationStream,
  now: Date,
): Promise<NotificationStreamRow> {
  const values = { ...stream, ...ownerColumns(owner), created_at: now, updated_at: now };
  const [row] = await sql<NotificationStreamRow[]>`
    insert into notification_streams ${sql(values)} returning *`;
  return row!;
}

export async function updateNotificationStream(
  sql: Sql,
  id: number,
  changes: Partial<NewNotificationStream>,
  now: Date,
): Promise<NotificationStreamRow> {
  const [row] = await sql<NotificationStreamRow[]>`
    update notification_streams set ${sql({ ...changes, updated_at: now })} where id = ${id} returning *`;
  return row!;
}

/**
 * Locks a stream before a change of its deliveries. Every transaction locks the stream first, and then its
 * deliveries.
 */
export async function lockForDelivery(sql: Sql, id: number): Promise<void> {
  await sql`select from notification_streams where id = ${id} for no key update`;
}

/**
 * Records the result of a test message. The result has no effect on later deliveries. `error` is null if the
 * message was accepted.
 */
export async function recordLastDelivery(
  sql: Sql,
  id: number,
  error: string | null,
  now: Date,
): Promise<void> {
  await sql`
    update notification_streams set last_delivery_at = ${now}, last_delivery_error = ${error} where id = ${id}`;
}

/**
 * Records an accepted message. `nextAt` is when the next message may be sent. `note` names the recipients
 * that the message did not reach; null if it reached all.
 */
export async function recordStreamSuccess(
  sql: Sql,
  id: number,
  { now, nextAt, note }: { now: Date; nextAt: Date; note: string | null },
): Promise<void> {
  await sql`
    update notification_streams
    set last_delivery_at = ${now}, last_delivery_error = ${note}, next_attempt_at = ${nextAt}, failures = 0,
      failing_since = null
    where id = ${id}`;
}

/** Records that a message was not accepted. Nothing is sent to the stream until `nextAt`. */
export async function recordStreamFailure(
  sql: Sql,
  id: number,
  error: string,
  now: Date,
  nextAt: Date,
): Promise<void> {
  await sql`
    update notification_streams
    set last_delivery_at = ${now}, last_delivery_error = ${error}, next_attempt_at = ${nextAt},
      failures = failures + 1, failing_since = coalesce(failing_since, ${now})
    where id = ${id}`;
}

/** Clears the result of the last attempt, because it belongs to an address that the stream no longer has. */
export async function forgetLastDelivery(sql: Sql, id: number): Promise<void> {
  await sql`
    update notification_streams
    set last_delivery_at = null, last_delivery_error = null, next_attempt_at = null, failures = 0,
      failing_since = null
    where id = ${id}`;
}

export async function findNotificationStreamOf(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<NotificationStreamRow | undefined> {
  const [row] = await sql<NotificationStreamRow[]>`
    select * from notification_streams where id = ${id} and workspace_id = ${workspaceId}`;
  return row;
}

/** Locks a stream of the workspace against changes until the transaction ends. Returns the stream. */
export async function lockNotificationStream(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<NotificationStreamRow | undefined> {
  const [row] = await sql<NotificationStreamRow[]>`
    select * from notification_streams where id = ${id} and workspace_id = ${workspaceId} for update`;
  return row;
}

/** Filter of a listing of streams. A field that is absent does not filter. */
export interface NotificationStreamFilter {
  readonly type?: string;
  /** Text to find in the label. */
  readonly search?: string;
}

const SORTS = { created_at: "created_at", label: "label" };

export async function listNotificationStreams(
  sql: Sql,
  workspaceId: number,
  { offset, limit }: PageWindow,
  { sort, type, search }: NotificationStreamFilter & ListOrder = {},
): Promise<Page<NotificationStreamRow>> {
  const where = allOf(sql, [
    sql`workspace_id = ${workspaceId}`,
    type === undefined ? null : sql`type = ${type}`,
    search === undefined ? null : containsText(sql, ["label"], search),
  ]);
  const rows = await sql<NotificationStreamRow[]>`
    select * from notification_streams where ${where} ${orderBy(sql, sort, SORTS)}
    limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`
    select count(*) as total from notification_streams where ${where}`;
  return { rows, total: count!.total };
}
