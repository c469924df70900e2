/** Defines the words for each event: its tone, its title and the next step for the reader. */
import { GUARD_NAMES, type GuardEvent, guardOf } from "../domain/guards/registry.ts";
import type { NotificationEventName } from "../domain/notifications/event_classes.ts";
import type { NotificationEvent } from "../domain/notifications/notification.ts";
import { localIso } from "../domain/timezone.ts";
import type { Message } from "./notification_message.ts";
import { summaryTitle, summaryTone } from "./summary_message.ts";
import { cut, LABEL_LIMIT } from "./text.ts";

/** The part of a message that depends on the event's name. */
export type Words = Pick<Message, "tone" | "title" | "next">;

/** The words for the events that guards raise. */
const GUARD_WORDS = Object.fromEntries(
  GUARD_NAMES.flatMap((name) => {
    const notification = guardOf(name)?.notification ?? null;
    if (notification === null) return [];
    const words = (event: NotificationEvent): Words => {
      const clear = `DELETE /api/backups/${event.backup?.id ?? "{id}"}/suspicion`;
      const named = { task: taskOf(event), server: serverOf(event), clear };
      return { tone: "bad", title: notification.title(named), next: notification.next(named) };
    };
    return [[notification.event, words]];
  }),
) as Record<GuardEvent, (event: NotificationEvent) => Words>;

export const WORDS: Readonly<Record<NotificationEventName, (event: NotificationEvent) => Words>> = {
  "backup.started": (event) => ({
    tone: "good",
    title: `Backup of ${taskOf(event)} started`,
    next: null,
  }),
  "backup.succeeded": (event) => {
    const warnings = event.run?.warnings_count ?? 0;
    const counted = warnings === 0 ? "" : ` with ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
    return {
      tone: warnings === 0 ? "good" : "warning",
      title: `Backup of ${taskOf(event)} succeeded${event.run?.was_lost ? " after all" : ""}${counted}`,
      next: warnings === 0 ? null : `Read the warnings in ${logOf(event)}.`,
    };
  },
  "backup.failed": (event) => ({
    tone: "bad",
    title: `Backup of ${taskOf(event)} failed`,
    next: `Read ${logOf(event)}, put right what it names, and run the task again. ` +
      "Backups that were stored before are still there.",
  }),
  "backup.lost": (event) => ({
    tone: "bad",
    title: `Backup of ${taskOf(event)} is lost: its agent is silent`,
    next: `Check that ${serverOf(event)} is up and ` +
      "that its agent runs. If the run succeeds after all, you are notified.",
  }),
  "backup.damaged": (event) => ({
    tone: "bad",
    title: `A backup of ${taskOf(event)} is damaged or missing`,
    next: "Run the task now for a whole backup, and look for faults at the destination. " +
      "That backup and older ones are kept from rotation until it is deleted or found whole.",
  }),
  ...GUARD_WORDS,
  "backup.incomplete": (event) => ({
    tone: "bad",
    title: `A backup of ${taskOf(event)} is incomplete`,
    next: `Read ${logOf(event)} and put right what it names. What is not named is stored. ` +
      "No complete backup is deleted in favour of this one.",
  }),
  "drill.failed": (event) => ({
    tone: "bad",
    title: `A restore drill of ${taskOf(event)} could not be made`,
    next:
      `Read ${logOf(event)} and put right what it names. Whether the backup can be restored is not known. ` +
      "The schedule tries again a day later.",
  }),
  "backup.recovered": (event) => ({
    tone: "good",
    title: `Backup of ${taskOf(event)} succeeded again${sinceOf(event)}`,
    next: null,
  }),
  "backup.late": (event) => ({
    tone: "bad",
    title: `${taskOf(event)} is late: it has no recent backup`,
    next: `Look at the task's last runs, and at ${
      serverOf(event)
    } and its agent. Run the task when that is put right.`,
  }),
  "backup.overdue": (event) => ({
    tone: "bad",
    title: `Backup of ${taskOf(event)} is overdue`,
    next:
      `See what it waits for: GET /api/backup-task-logs/${
        event.run?.id ?? "{id}"
      }/why. It begins as soon as ` +
      `the agent of ${serverOf(event)} takes it.`,
  }),
  "backup.skipped": (event) => ({
    tone: "bad",
    title: `Backups of ${taskOf(event)} are skipped: an earlier run is still active`,
    next:
      `See what the run waits for: GET /api/backup-task-logs/${
        event.run?.id ?? "{id}"
      }/why. Cancel it, or give ` +
      "the task fewer due times or a run_timeout.",
  }),
  "backup.stalled": (event) => ({
    tone: "bad",
    title: `${runOf(event)} stands still`,
    next: `See what it waits for: GET /api/backup-task-logs/${event.run?.id ?? "{id}"}/why.`,
  }),
  "backup.slow": (event) => ({
    tone: "warning",
    title: `Backup of ${taskOf(event)} takes far longer than usual`,
    next:
      `See how it goes on: GET /api/backup-task-logs/${
        event.run?.id ?? "{id}"
      }/why. Nothing is cancelled unless ` +
      "the task has a run_timeout.",
  }),
  "schedule.broken": (event) => ({
    tone: "bad",
    title: `The schedule of ${taskOf(event)} can't be read`,
    next: `Give the task a time zone and a schedule that are known: PUT /api/backup-tasks/${
      event.task?.id ?? "{id}"
    }.`,
  }),
  "verification.failed": (event) => ({
    tone: "bad",
    title: `Verifications of ${taskOf(event)} could not be made`,
    next: `Read ${logOf(event)} and put right what it names. Whether the backups can be read is not known.`,
  }),
  "agent.gone": (event) => ({
    tone: "bad",
    title: `The agent of ${serverOf(event)} is not connected`,
    next:
      "Check that the server is up and that its agent runs: systemctl status rearguard-agent. No backup of it " +
      "is made until then.",
  }),
  "agent.back": (event) => ({
    tone: "good",
    title: `The agent of ${serverOf(event)} is connected again${sinceOf(event)}`,
    next: null,
  }),
  "agent.duplicate": (event) => ({
    tone: "bad",
    title: `A second agent uses the key of ${serverOf(event)}`,
    next:
      "It is refused; the connected one goes on with its runs. Where a machine was copied, stop the agent of the " +
      "copy, remove its state directory and enrol it with a token of its own server.",
  }),
  "destination.nearly_full": () => ({
    tone: "warning",
    title: "A destination is nearly full",
    next: "Make room there, or let tasks keep fewer backups. Backups fail when no space is left.",
  }),
  "destination.has_room": (event) => ({
    tone: "good",
    title: `A destination has room again${sinceOf(event)}`,
    next: null,
  }),
  "removal.failing": (event) => ({
    tone: "warning",
    title: event.task === null ? "Backups can't be removed" : `Backups of ${taskOf(event)} can't be removed`,
    next:
      "Put right what the reason names, at the destination or on its server. It is tried again by itself.",
  }),
  "notifications.failing": () => ({
    tone: "bad",
    title: "A notification stream does not take its messages",
    next:
      "Test the stream and give it a new value: POST /api/notification-streams/{id}/test. Missed events " +
      "are in the logs of the runs.",
  }),
  "trash.filled": () => ({
    tone: "warning",
    title: "Backups or what keeps them were deleted",
    next:
      "If nobody of you did this, take it back with POST /api/backups/{id}/undelete (or `rearguard trash`), " +
      "and revoke the token that the audit log names.",
  }),
  "access.ending": () => ({
    tone: "bad",
    title: "The last administrator's token expires",
    next: "Make one that lasts: POST /api/tokens with the admin ability. " +
      "After the last one has expired, only `deno task admin token` on the control plane's machine makes another.",
  }),
  "token.expiring": () => ({
    tone: "warning",
    title: "An API token expires soon",
    next:
      "Give it a later expires_at (PUT /api/tokens/{id}), or give what uses it a new one: POST /api/tokens.",
  }),
  "certificate.expiring": () => ({
    tone: "bad",
    title: "A certificate expires soon",
    next: "Renew it on the server that the reason names: after that time, connections to this server fail.",
  }),
  "update.available": (event) => {
    const isAgent = event.server !== null;
    return {
      tone: "warning",
      title: isAgent
        ? `The agent of ${serverOf(event)} is older than its control plane`
        : "A newer version of Rearguard is available",
      next: `Update ${isAgent ? "the agent" : "the control plane"} as docs/operate/upgrade.md describes.`,
    };
  },
  "digest": () => ({ tone: "bad", title: "Several things happened", next: null }),
  "summary": ({ summary }) => ({
    tone: summary === undefined ? "good" : summaryTone(summary),
    title: summary === undefined ? "Summary" : summaryTitle(summary),
    next: summary?.is_protected === false
      ? "GET /api/overview lists every task that is not protected."
      : null,
  }),
  "test": () => ({ tone: "good", title: "This is a test from Rearguard", next: null }),
};

function taskOf({ task }: NotificationEvent): string {
  return task === null ? "a task" : cut(task.label, LABEL_LIMIT);
}

function serverOf({ server }: NotificationEvent): string {
  return server === null ? "the server" : cut(server.label, LABEL_LIMIT);
}

function logOf({ run }: NotificationEvent): string {
  return run === null ? "its log" : `log ${run.id}`;
}

const RUN_NAMES: Readonly<Record<string, string>> = {
  restore: "A restore",
  verify: "A verification",
  drill: "A restore drill",
};

function runOf(event: NotificationEvent): string {
  const name = RUN_NAMES[event.run?.kind ?? ""];
  return name === undefined ? `Backup of ${taskOf(event)}` : `${name} of ${taskOf(event)}`;
}

function sinceOf({ ongoing, timezone }: NotificationEvent): string {
  if (ongoing === undefined) return "";
  const times = ongoing.count === 1 ? "" : `, ${ongoing.count} times`;
  return ` (trouble since ${localIso(timezone, new Date(ongoing.since))}${times})`;
}
