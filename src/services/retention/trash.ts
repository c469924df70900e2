/** The trash: keeps deleted records for some time, and notifies every administrator. */
import { classOf } from "../../domain/notifications/event_classes.ts";
import { isoSeconds, type NotificationEvent } from "../../domain/notifications/notification.ts";
import {
  configureDelay,
  DEFAULT_DELETE_DELAY_DAYS,
  type DeleteDelay,
  deletionTime,
} from "../../domain/trash.ts";
import { RUN_FOLLOWERS } from "../../notify/channels/registry.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { notify } from "../../store/database/event_bus.ts";
import {
  findDeleteDelay,
  hasTrashEvents,
  insertTrashEvents,
  lockDeleteDelay,
  lockTrashNotifiedAt,
  storeDeleteDelay,
  takeTrashEvents,
  trashBackups,
  trashByRule,
  type TrashEvent,
  type TrashSummary,
} from "../../store/backups/trash.ts";
import { insertDeliveries } from "../../store/notifications/new_deliveries.ts";
import { listAdministrators } from "../../store/access/users.ts";
import { logger } from "../../telemetry/logging.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { pluralize } from "../pluralize.ts";

/**
 * Minimum interval between two messages to administrators, in milliseconds. Each message covers all events
 * since the previous message.
 */
const MESSAGE_INTERVAL = 60_000;

type Clocked = Pick<ServiceContext, "clock">;

/**
 * Stores the configured delay. Returns the delay that applies now, and the next delay if there is one. A
 * delay that is shorter than before does not apply at once. In this case, logs the time from which the
 * shorter delay applies.
 */
export async function configureDeleteDelay(services: ServiceContext, days: number): Promise<DeleteDelay> {
  const { clock, database } = services;
  return await transaction(database, async (sql) => {
    const delay = configureDelay(await lockDeleteDelay(sql), days, clock.now());
    await storeDeleteDelay(sql, delay);
    if (delay.next !== null) {
      logger("services").warn(
        "DELETE_DELAY_DAYS is {next} from {from} on, and {days} until then: shortening it takes as long as the delay",
        { next: delay.next.days, from: isoSeconds(delay.next.from), days: delay.days },
      );
    }
    return delay;
  });
}

/** Returns the time at which a record will be deleted if it is put into the trash now. */
export async function deletionTimeNow({ clock }: Clocked, sql: Sql): Promise<Date> {
  const delay = await findDeleteDelay(sql) ?? { days: DEFAULT_DELETE_DELAY_DAYS, next: null };
  return deletionTime(delay, clock.now());
}

/**
 * Puts backups into the trash. The caller must have locked them and checked that none is held. Returns when
 * the backups will be deleted.
 */
export async function putIntoTrash(
  services: Clocked,
  sql: Sql,
  caller: Caller,
  ids: readonly number[],
  event: "delete" | "forget",
): Promise<Date> {
  const deletesAt = await deletionTimeNow(services, sql);
  const reason = event === "delete" ? "request" : "forget";
  await trashBackups(sql, ids, reason, { now: services.clock.now(), deletesAt });
  const news = { user_id: caller.userId, event, resource: "backups", ends_at: deletesAt };
  await noteTrashed(services, sql, news, ids);
  return deletesAt;
}

/**
 * Called before retention removes backups. If the task's rules or source were changed recently, puts the
 * backups into the trash and returns true. They stay in the trash until its delay, counted from the change,
 * has passed. If there was no recent change, does nothing and returns false.
 *
 * Without this delay, someone with a stolen token could have backups deleted at once by changing the rules or
 * the source.
 */
export async function trashByChangedRules(
  services: Clocked,
  sql: Sql,
  task: { user_id: number; retention_changed_at: Date | null },
  ids: readonly number[],
): Promise<boolean> {
  if (task.retention_changed_at === null) return false;
  const now = services.clock.now();
  const delay = await findDeleteDelay(sql) ?? { days: DEFAULT_DELETE_DELAY_DAYS, next: null };
  const deletesAt = deletionTime(delay, task.retention_changed_at);
  if (deletesAt <= now) return false;
  await trashByRule(sql, ids, { now, deletesAt });
  const news = {
    user_id: task.user_id,
    event: "retention",
    resource: "backups",
    ends_at: deletesAt,
  } as const;
  await noteTrashed(services, sql, news, ids);
  return true;
}

/** Records an event of the trash, in the caller's transaction. Administrators are notified of it later. */
export async function noteTrashed(
  { clock }: Clocked,
  sql: Sql,
  news: Omit<TrashEvent, "resource_id">,
  ids: readonly number[],
): Promise<void> {
  await insertTrashEvents(sql, ids.map((resource_id) => ({ ...news, resource_id })), clock.now());
  await notify(sql, { topic: "removal_due" });
}

/**
 * Notifies every administrator of new records in the trash. Does nothing if the minimum interval since the
 * last notification has not passed. Returns the time at which to call this function again. Null means that it
 * must be called again when the next record is put into the trash.
 */
export async function notifyTrash(services: ServiceContext): Promise<Date | null> {
  const { clock, database } = services;
  if (!await hasTrashEvents(database)) return null;
  return await transaction(database, async (sql) => {
    const now = clock.now();
    const lastSentAt = await lockTrashNotifiedAt(sql);
    const next = new Date((lastSentAt?.getTime() ?? 0) + MESSAGE_INTERVAL);
    if (lastSentAt !== null && next > now) return next;
    const summaries = await takeTrashEvents(sql, now);
    if (summaries.length === 0) return null;
    const reason = summaries.map(sentence).join(" ");
    logger("services").warn("Put into the trash: {reason}", { reason });
    let count = 0;
    for (const { timezone, workspace_id } of await listAdministrators(sql)) {
      const streams = await insertDeliveries(sql, {
        recipients: { workspaceId: workspace_id, exceptStreamId: null },
        classes: [classOf("trash.filled")],
        followers: { types: RUN_FOLLOWERS, isFor: false },
        key: `trash ${now.toISOString()}`,
        event: eventOf(now, timezone, reason),
      }, now);
      count += streams.length;
    }
    if (count > 0) await notify(sql, { topic: "notification_due" });
    return null;
  });
}

function eventOf(now: Date, timezone: string, reason: string): NotificationEvent {
  return {
    event: "trash.filled",
    occurred_at: isoSeconds(now),
    timezone,
    task: null,
    server: null,
    run: null,
    backup: null,
    reason,
  };
}

const NOUNS: Readonly<Record<string, string>> = {
  "backups": "backup",
  "backup-destinations": "backup destination",
  "users": "user",
};

/**
 * Describes an event in a sentence, such as
 * `ada@example.com deleted 2 backups (7, 8); deletion begins at 2026-01-08T12:00:00Z.`
 */
function sentence({ email, event, resource, count, ids, ends_at }: TrashSummary): string {
  const what = pluralize(count, NOUNS[resource] ?? resource);
  const named = `${ids.join(", ")}${count > ids.length ? ", …" : ""}`;
  const who = email ?? "A deleted user";
  const from = isoSeconds(ends_at);
  switch (event) {
    case "delete":
      return `${who} deleted ${what} (${named}); deletion begins at ${from}.`;
    case "forget":
      return `${who} forgot ${what} (${named}); the records are deleted at ${from}, the objects stay.`;
    case "retention":
      return `After a change by ${who}, rules remove ${what} (${named}); deletion begins at ${from}.`;
    case "release":
      return `${who} released the hold of ${what} (${named}), which ends at ${from}.`;
  }
}
