/** Creates, lists, changes, tests and deletes notification streams. */
import { InvalidError, NotFoundError } from "../../domain/errors.ts";
import {
  changeSubscription,
  type EventChoices,
  type Subscription,
} from "../../domain/notifications/event_classes.ts";
import { type DeliveryOutcome, isoSeconds } from "../../domain/notifications/notification.ts";
import { newColumns } from "../../definitions/fields/columns.ts";
import type { Input } from "../../definitions/fields/field.ts";
import {
  NOTIFICATION_STREAM_SETTINGS,
  type NotificationStreamSettings,
} from "../../definitions/notification_stream_fields.ts";
import type { PageWindow } from "../../domain/page.ts";
import { nextSummary } from "../../domain/notifications/summary.ts";
import type { Sql } from "../../store/database/sql.ts";
import { channelOf } from "../../notify/channels/registry.ts";
import { recordCreated } from "../../store/access/audited_request.ts";
import { transaction } from "../../store/database/database.ts";
import { restartDeliveries } from "../../store/notifications/notification_deliveries.ts";
import { rescheduleHeldDeliveries } from "../../store/notifications/held_deliveries.ts";
import { notify } from "../../store/database/event_bus.ts";
import {
  type DeliveryFilter,
  type DeliveryRow,
  listDeliveries as listDeliveriesOfStream,
} from "../../store/notifications/delivery_log.ts";
import { tasksOfStream } from "../../store/notifications/silent_tasks.ts";
import * as store from "../../store/notifications/notification_streams.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import { findUser } from "../../store/access/users.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { deleteRecord, undeleteRecord } from "../retention/deleted_records.ts";
import { silentTaskWarnings } from "./silent_tasks.ts";
import { refuseAddress, refuseQuietHours, refuseSigningSecret, refuseSummary } from "./stream_rules.ts";

export type { DeliveryRow } from "../../store/notifications/delivery_log.ts";
export type { NotificationStreamRow } from "../../store/notifications/notification_streams.ts";

export interface NotificationStreamInput extends Input<NotificationStreamSettings> {
  label: string;
  type: string;
  /** The stream's address, in plain text. It is stored encrypted, and decrypted only for sending. */
  value: string;
  /** Key that signs the messages, in plain text; null for none. It is stored encrypted. */
  signing_secret?: string | null;
  notifications?: { on_success?: boolean; on_failure?: boolean };
  /**
   * For each class of notification events, by its name: true if the stream gets these events, false if it
   * does not. If a class is absent, the stream's choice for this class does not change.
   */
  events?: EventChoices;
}

/** Subscription of a new stream: all event classes that are on by default. */
const NEW_SUBSCRIPTION: Subscription = { on_success: true, on_failure: true, events: {} };

export function listNotificationStreams(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
  choice: store.NotificationStreamFilter & ListOrder = {},
): Promise<Page<store.NotificationStreamRow>> {
  return store.listNotificationStreams(services.database, caller.workspaceId, window, choice);
}

export async function showNotificationStream(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<store.NotificationStreamRow> {
  return requireFound(await store.findNotificationStreamOf(services.database, caller.workspaceId, id));
}

/** Lists a stream's events: all that wait to be sent, and those of the last week, sent or given up. */
export async function listDeliveries(
  services: ServiceContext,
  caller: Caller,
  id: number,
  window: PageWindow,
  choice: DeliveryFilter & ListOrder = {},
): Promise<Page<DeliveryRow>> {
  await showNotificationStream(services, caller, id);
  return await listDeliveriesOfStream(services.database, id, window, choice);
}

export function createNotificationStream(
  services: ServiceContext,
  caller: Caller,
  { events, label, notifications, signing_secret = null, type, value, ...settings }: NotificationStreamInput,
): Promise<store.NotificationStreamRow> {
  refuseAddress(services, type, value);
  refuseSigningSecret(type, signing_secret);
  const row = {
    label,
    type,
    ...newColumns(NOTIFICATION_STREAM_SETTINGS, settings),
    summary_due_at: null,
    ...changeSubscription(NEW_SUBSCRIPTION, { ...notifications, events }),
    value_encrypted: services.keyring.encrypt(value),
    signing_secret_encrypted: services.keyring.encryptOptional(signing_secret),
  };
  refuseQuietHours(row);
  refuseSummary(row);
  return transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const summary_due_at = nextSummary(row, now, await findTimezone(sql, caller.userId));
    const made = await store.insertNotificationStream(sql, caller, { ...row, summary_due_at }, now);
    recordCreated(made.id);
    return made;
  });
}

/**
 * Changes a stream and returns it. Throws an `InvalidError` if the stream's address does not suit its type.
 * If the address or the type changes, all waiting deliveries become due at once, except held ones.
 */
export function updateNotificationStream(
  services: ServiceContext,
  caller: Caller,
  id: number,
  { events, notifications, signing_secret, value, ...changes }: Partial<NotificationStreamInput>,
): Promise<store.NotificationStreamRow> {
  return transaction(services.database, async (sql) => {
    const row = requireFound(await store.lockNotificationStream(sql, caller.workspaceId, id));
    const problem = channelOf(changes.type ?? row.type).valueProblem(
      value ?? services.keyring.decrypt(row.value_encrypted),
    );
    if (problem !== null) throw new InvalidError({ value: [`The value field ${problem}.`] });
    if (value !== undefined) refuseAddress(services, changes.type ?? row.type, value);
    const type = changes.type ?? row.type;
    const secret = signing_secret === undefined
      ? services.keyring.decryptOptional(row.signing_secret_encrypted)
      : signing_secret;
    refuseSigningSecret(type, secret);
    const sealed = {
      ...value === undefined ? {} : { value_encrypted: services.keyring.encrypt(value) },
      ...signing_secret === undefined
        ? {}
        : { signing_secret_encrypted: services.keyring.encryptOptional(signing_secret) },
    };
    const subscription = changeSubscription(row, { ...notifications, events });
    refuseQuietHours({ ...row, ...changes });
    refuseSummary({ ...row, ...changes });
    const now = services.clock.now();
    const summary = SUMMARY_FIELDS.some((name) => changes[name] !== undefined)
      ? { summary_due_at: nextSummary({ ...row, ...changes }, now, await findTimezone(sql, row.user_id)) }
      : {};
    if (value !== undefined || (changes.type ?? row.type) !== row.type) {
      await store.forgetLastDelivery(sql, id);
      await restartDeliveries(sql, id, now);
      await notify(sql, { topic: "notification_due" });
    }
    const changed = await store.updateNotificationStream(
      sql,
      id,
      { ...changes, ...subscription, ...summary, ...sealed },
      now,
    );
    if (QUIET_FIELDS.some((name) => changes[name] !== undefined)) {
      await rescheduleHeldDeliveries(sql, changed, now);
      await notify(sql, { topic: "notification_due" });
    }
    return changed;
  });
}

/**
 * Sends a test message now and returns the outcome. A refusal by the receiver is an outcome, not an error.
 */
export async function testNotificationStream(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<DeliveryOutcome> {
  const { database, clock, notifier } = services;
  const stream = requireFound(await store.findNotificationStreamOf(database, caller.workspaceId, id));
  const outcome = await notifier.sendNow(stream, {
    event: "test",
    occurred_at: isoSeconds(clock.now()),
    timezone: await findTimezone(database, caller.userId),
    task: null,
    server: null,
    run: null,
    backup: null,
    reason: null,
  });
  await store.recordLastDelivery(
    database,
    id,
    outcome.ok ? outcome.note ?? null : outcome.error,
    clock.now(),
  );
  return outcome;
}

/**
 * Deletes a stream. Tasks no longer send notifications to it. If some tasks then have no stream that reports
 * their problems, returns a warning that names these tasks.
 */
export function deleteNotificationStream(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<{ warnings: string[]; deletes_at: Date }> {
  return transaction(services.database, async (sql) => {
    const tasks = await tasksOfStream(sql, id);
    requireFound(await store.lockNotificationStream(sql, caller.workspaceId, id));
    const deletesAt = await deleteRecord(services, sql, caller, { kind: "notification-streams", id });
    return { warnings: await silentTaskWarnings(sql, tasks), deletes_at: deletesAt };
  });
}

/** Undoes the deletion of a stream. The tasks that used it use it again. Its deliveries stay deleted. */
export function undeleteNotificationStream(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<store.NotificationStreamRow> {
  return undeleteRecord(services, caller, { kind: "notification-streams", id }, showNotificationStream);
}

const QUIET_FIELDS = ["timezone", "quiet_from", "quiet_to", "quiet_days", "quiet_except"] as const;

const SUMMARY_FIELDS = ["timezone", "summary", "summary_time", "summary_weekday"] as const;

/** Returns the time zone of a user; UTC if there is no such user. */
async function findTimezone(sql: Sql, userId: number): Promise<string> {
  return (await findUser(sql, userId))?.timezone ?? "UTC";
}

function requireFound(row: store.NotificationStreamRow | undefined): store.NotificationStreamRow {
  if (row === undefined) throw new NotFoundError("Notification stream");
  return row;
}
