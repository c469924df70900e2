/** Opens and closes alerts about lasting problems, and writes the messages about them. */
import { type Owner, ownerColumns } from "../../domain/access/owner.ts";
import { type AlertKind, REMIND_AFTER, remindAfter, steadyAfter } from "../../domain/notifications/alert.ts";
import { type ClassedEvent, classOf, type EventClassName } from "../../domain/notifications/event_classes.ts";
import { isoSeconds, type NotificationEvent } from "../../domain/notifications/notification.ts";
import {
  type AlertRow,
  closeAlerts,
  markAlertReported,
  recordOccurrence,
} from "../../store/notifications/alerts.ts";
import { RUN_FOLLOWERS } from "../../notify/channels/registry.ts";
import type { Sql } from "../../store/database/sql.ts";
import { insertDeliveries } from "../../store/notifications/new_deliveries.ts";
import {
  hasRecipients,
  type Recipients,
  type ReportedAlert,
} from "../../store/notifications/subscriptions.ts";
import { findNotifiedBackup, findNotifiedTask, findNotifiedUser } from "../../store/database/notified.ts";
import { notify } from "../../store/database/event_bus.ts";
import type { ServiceContext } from "../context.ts";

type Clocked = Pick<ServiceContext, "clock">;

/** A notification event that is to be sent. */
export interface AlertMessage extends Owner, Pick<NotificationEvent, "run" | "reason" | "ongoing"> {
  name: ClassedEvent;
  /** The task that the event is about; null for none. */
  taskId: number | null;
  serverId: number | null;
  backupId: number | null;
  /**
   * The streams among which the recipients are selected. A stream gets the message only if it also meets the
   * conditions in the other fields. Default: the streams of the task. If there is no task, the streams of the
   * server.
   */
  recipients?: Recipients;
  /**
   * Event classes. A stream that subscribes to one of them gets the message. Default: the classes in the
   * definition of the event.
   */
  classes?: readonly EventClassName[];
  /**
   * Some streams follow runs: they report each run's start and end to a service. If true, only streams that
   * follow runs get the message. If false, only the other streams get it. Default: false.
   */
  isForFollowers?: boolean;
  /**
   * The alert that the message reports. If set, a stream gets the message only in two cases: the stream has
   * had no message about this alert yet, or it is time to remind the stream.
   */
  alert?: ReportedAlert;
  /** Identifies the message: a stream gets at most one message with the same key. */
  key: string;
}

/**
 * Writes a message for each stream that subscribes to the event. Returns the ids of the streams for which a
 * message was written.
 */
export async function writeDeliveries(
  services: Clocked,
  sql: Sql,
  news: AlertMessage,
): Promise<readonly number[]> {
  const { alert, backupId, key, name, ongoing, reason, run, serverId, taskId, userId } = news;
  const recipients = news.recipients ?? recipientsOf(news);
  if (recipients === null) return [];
  const followers = { types: RUN_FOLLOWERS, isFor: news.isForFollowers ?? false };
  const classes = news.classes ?? [classOf(name, run?.warnings_count)];
  const subscribers = { recipients, classes, followers, alert };
  if (!await hasRecipients(sql, subscribers)) return [];
  const about = taskId === null
    ? await findNotifiedUser(sql, userId, serverId)
    : await findNotifiedTask(sql, taskId, serverId);
  if (about === undefined) return [];
  const now = services.clock.now();
  const backup = await findNotifiedBackup(sql, backupId ?? 0);
  const event: NotificationEvent = {
    event: name,
    occurred_at: isoSeconds(now),
    ...about,
    run,
    backup: backup === undefined ? null : { ...backup, created_at: isoSeconds(backup.created_at) },
    reason,
    ...ongoing === undefined ? {} : { ongoing },
  };
  const streams = await insertDeliveries(sql, { ...subscribers, key, event }, now);
  if (streams.length > 0) await notify(sql, { topic: "notification_due" });
  return streams;
}

function recipientsOf({ serverId, taskId }: AlertMessage): Recipients | null {
  if (taskId !== null) return { taskId };
  return serverId === null ? null : { serverId };
}

export interface Occurrence {
  kind: AlertKind;
  /** Subject of the alert, such as `task 3`. */
  subject: string;
  /**
   * Whether the problem is observed repeatedly while it lasts, so that all observations count as one
   * occurrence. Default: no.
   */
  isLevel?: boolean;
  /** Number of occurrences at which the problem is reported for the first time. Default: 1. */
  reportFrom?: number;
  /**
   * Time of the occurrence; default: now. For a problem of a run, this is the time when the run was queued,
   * not when the problem occurred. The time between two failures is then the interval of the schedule, so a
   * task that fails daily is reported daily.
   */
  at?: Date;
}

/**
 * Records that a problem occurred or still lasts. Reports the problem's first occurrence to each stream.
 * Reports a later occurrence only if the stream's `remind_after` has passed since the last report.
 *
 * @param news The message. Its `key` is extended by the alert's id and the time.
 */
export async function raiseAlert(
  services: Clocked,
  sql: Sql,
  { at = services.clock.now(), isLevel = false, kind, subject, reportFrom = 1 }: Occurrence,
  news: AlertMessage,
): Promise<void> {
  const alert = await recordOccurrence(sql, {
    ...ownerColumns(news),
    kind,
    subject,
    backup_task_id: news.taskId,
    remote_server_id: news.taskId === null ? news.serverId : null,
    reason: news.reason,
  }, { at, isAgain: !isLevel });
  if (alert.occurrences < reportFrom) return;
  const isKnown = alert.occurrences > 1 || alert.told_at !== null;
  const ongoing = isKnown ? { ongoing: ongoingOf(alert) } : {};
  const key = `${news.key} alert ${alert.id} ${at.toISOString()}`;
  const reported = { id: alert.id, told_at: alert.told_at, at, defaultMs: remindAfter(kind) };
  const streams = await writeDeliveries(services, sql, { ...news, ...ongoing, key, alert: reported });
  if (streams.length > 0) await markAlertReported(sql, alert.id, streams, at);
}

/**
 * Closes the alerts of `kinds` about `subjects`, because their problems are over. If one of the closed alerts
 * had been reported, sends `news` once. If a problem comes and goes, its alert stays open until the problem
 * has been absent for the time that {@link steadyAfter} returns.
 */
export async function endAlerts(
  services: Clocked,
  sql: Sql,
  kinds: readonly AlertKind[],
  subjects: readonly string[],
  news: AlertMessage | null = null,
): Promise<void> {
  const at = services.clock.now();
  const closed: AlertRow[] = [];
  for (const kind of kinds) {
    const limits = { at, repeatMs: REMIND_AFTER, steadyMs: steadyAfter(kind) };
    closed.push(...await closeAlerts(sql, kind, subjects, limits));
  }
  const reported = closed.filter(({ told_at }) => told_at !== null);
  const [first] = reported.sort((a, b) => a.opened_at.getTime() - b.opened_at.getTime());
  if (first === undefined || news === null) return;
  await writeDeliveries(services, sql, {
    ...news,
    ongoing: ongoingOf(first),
    key: `${news.key} alert ${first.id} closed`,
  });
}

/** Records that one problem is over; see {@link endAlerts}. */
export function endAlert(
  services: Clocked,
  sql: Sql,
  { kind, subject }: Pick<Occurrence, "kind" | "subject">,
  news: AlertMessage | null = null,
): Promise<void> {
  return endAlerts(services, sql, [kind], [subject], news);
}

function ongoingOf({ occurrences, opened_at }: AlertRow) {
  return { since: isoSeconds(opened_at), count: occurrences };
}
