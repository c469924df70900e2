/** Creates, lists, changes, tests and deletes notification streams. */
import { InvalidError, NotFoundError } from "../../domain/errors.ts";
import {
  changeSubscription,
  type EventChoices,
  type Subscription,
} from "../../domain/notifications/event_classes.ts";
import { type DeliveryOutcome, isoSeconds } from "../../domain/notifications/notification.ts";
import type { PageWindow } from "../../domain/page.ts";
import { AddressRefusedError } from "../../network/network.ts";
import { channelOf, NOTIFICATION_STREAM_TYPES } from "../../notify/channels/registry.ts";
import { signingSecretProblem } from "../../notify/signature.ts";
import { recordCreated } from "../../store/access/audited_request.ts";
import { transaction } from "../../store/database/database.ts";
import { restartDeliveries } from "../../store/notifications/notification_deliveries.ts";
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
import { silentTaskWarnings } from "./silent_tasks.ts";

export type { DeliveryRow } from "../../store/notifications/delivery_log.ts";
export type { NotificationStreamRow } from "../../store/notifications/notification_streams.ts";

export interface NotificationStreamInput {
  label: string;
  type: string;
  /** The stream's address, in plain text. It is stored encrypted, and decrypted only for sending. */
  value: string;
  /** Key that signs the messages, in plain text; null for none. It is stored encrypted. */
  signing_secret?: string | null;
  notifications?: { on_success?: boolean; on_failure?: boolean };
  /** Classes that the stream gets or does not get; those that are left out stay. */
  events?: EventChoices;
  remind_after?: number | null;
}

/** Subscription of a new stream: all classes that are on by default. */
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

/** Lists the events for a stream: those that wait, and those that were sent or given up lately. */
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
  { events, notifications, remind_after = null, signing_secret = null, value, ...stream }:
    NotificationStreamInput,
): Promise<store.NotificationStreamRow> {
  refuseAddress(services, stream.type, value);
  refuseSigningSecret(stream.type, signing_secret);
  const row = {
    ...stream,
    ...changeSubscription(NEW_SUBSCRIPTION, { ...notifications, events }),
    remind_after,
    value_encrypted: services.keyring.encrypt(value),
    signing_secret_encrypted: services.keyring.encryptOptional(signing_secret),
  };
  return transaction(services.database, async (sql) => {
    const made = await store.insertNotificationStream(sql, caller, row, services.clock.now());
    recordCreated(made.id);
    return made;
  });
}

/**
 * Changes a stream and returns it. Throws an `InvalidError` if the stream's address does not suit its type.
 * Pending messages are sent to a changed address at once.
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
    const now = services.clock.now();
    if (value !== undefined || (changes.type ?? row.type) !== row.type) {
      await store.forgetLastDelivery(sql, id);
      await restartDeliveries(sql, id, now);
      await notify(sql, { topic: "notification_due" });
    }
    return await store.updateNotificationStream(sql, id, { ...changes, ...subscription, ...sealed }, now);
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
  const user = await findUser(database, caller.userId);
  const outcome = await notifier.sendNow(stream, {
    event: "test",
    occurred_at: isoSeconds(clock.now()),
    timezone: user?.timezone ?? "UTC",
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
 * Deletes a stream. Tasks no longer send notifications to it. Returns a warning about tasks whose problems
 * nobody is notified of any more.
 */
export function deleteNotificationStream(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<{ warnings: string[] }> {
  return transaction(services.database, async (sql) => {
    const tasks = await tasksOfStream(sql, id);
    if (!await store.deleteNotificationStream(sql, caller.workspaceId, id)) {
      throw new NotFoundError("Notification stream");
    }
    return { warnings: await silentTaskWarnings(sql, tasks) };
  });
}

function requireFound(row: store.NotificationStreamRow | undefined): store.NotificationStreamRow {
  if (row === undefined) throw new NotFoundError("Notification stream");
  return row;
}

function refuseSigningSecret(type: string, secret: string | null): void {
  if (secret === null) return;
  const signed = NOTIFICATION_STREAM_TYPES.filter((each) => channelOf(each).isSigned === true);
  const problem = channelOf(type).isSigned === true
    ? signingSecretProblem(secret)
    : `is for streams of the type ${signed.join(" or ")} only`;
  if (problem !== null) throw new InvalidError({ signing_secret: [`The signing secret field ${problem}.`] });
}

/**
 * Throws an `InvalidError` if the control plane must not connect to the address. The addresses of a host name
 * may change, so they are checked at each connection instead.
 */
function refuseAddress({ network }: ServiceContext, type: string, value: string): void {
  const address = channelOf(type).urlOf?.(value) ?? null;
  if (address === null) return;
  try {
    network.check(address);
  } catch (error) {
    if (!(error instanceof AddressRefusedError)) throw error;
    throw new InvalidError({ value: [`${error.message}.`] });
  }
}
