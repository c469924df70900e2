/** What happened, in words: plain text, which each channel escapes and lays out in its own way. */
import type { NotificationEvent, NotificationEventName } from "../domain/notification.ts";
import { localIso } from "../domain/timezone.ts";

export interface Message {
  /** The same in every try: receivers tell a repetition by it. */
  readonly id: string;
  readonly event: NotificationEvent;
  readonly tone: "good" | "warning" | "bad";
  /** One line. */
  readonly title: string;
  /** What is known, in the order of reading. Values have no line breaks. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  /** What to do next; null where there is nothing to do. */
  readonly next: string | null;
}

/** Longer labels and reasons are cut: no channel is to refuse a message for its length. */
const LABEL_LIMIT = 100;
const REASON_LIMIT = 600;

export function messageOf(id: string, event: NotificationEvent): Message {
  const { tone, title, next } = WORDS[event.event](event);
  return { id, event, tone, title, facts: factsOf(event), next };
}

type Words = Pick<Message, "tone" | "title" | "next">;

const WORDS: Readonly<Record<NotificationEventName, (event: NotificationEvent) => Words>> = {
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
    next:
      `Check that ${event.server === null ? "the server" : cut(event.server.label, LABEL_LIMIT)} is up and ` +
      "that its agent runs. If the run still ends well, you are told.",
  }),
  "backup.damaged": (event) => ({
    tone: "bad",
    title: `A backup of ${taskOf(event)} is damaged`,
    next: "Run the task now for a whole backup, and look for faults at the destination. " +
      "The damaged backup and older ones are kept from rotation until it is deleted or found whole.",
  }),
  "backup.suspicious": (event) => ({
    tone: "bad",
    title: `A backup of ${taskOf(event)} looks as after ransomware`,
    next:
      `Look at the files on ${
        event.server === null ? "the server" : cut(event.server.label, LABEL_LIMIT)
      } now. ` +
      "Older backups are kept from rotation. Where the change is right, clear the backup with " +
      `DELETE /api/backups/${event.backup?.id ?? "{id}"}/suspicion.`,
  }),
  "backup.shrunken": (event) => ({
    tone: "bad",
    title: `A backup of ${taskOf(event)} shrank to less than half`,
    next:
      `Check that nothing is missing from what is backed up on ${
        event.server === null ? "the server" : cut(event.server.label, LABEL_LIMIT)
      }. ` +
      "Older backups are kept from rotation. Where it is right, clear the backup with " +
      `DELETE /api/backups/${
        event.backup?.id ?? "{id}"
      }/suspicion, and set the task's on_shrink to ignore until the ` +
      "median has followed.",
  }),
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
  "trash.filled": () => ({
    tone: "warning",
    title: "Backups or what keeps them were deleted",
    next:
      "If nobody of you did this, take it back with POST /api/backups/{id}/undelete (or `rearguard trash`), " +
      "and revoke the token that the audit log names.",
  }),
  "test": () => ({ tone: "good", title: "This is a test from Rearguard", next: null }),
};

function factsOf(event: NotificationEvent): Message["facts"] {
  const { task, server, run, backup, reason, timezone } = event;
  const at = (time: string) => localIso(timezone, new Date(time));
  const facts: [name: string, value: string | null][] = [
    ["Reason", reason === null ? null : cut(reason, REASON_LIMIT)],
    ["Task", task && `${cut(task.label, LABEL_LIMIT)} (${task.id})`],
    ["Server", server && `${cut(server.label, LABEL_LIMIT)} (${server.id})`],
    ["Backup", backup && `${cut(backup.file_name, 255)} (${backup.id}), ${bytes(backup.size)}`],
    ["Stored at", backup && at(backup.created_at)],
    ["Log", run && String(run.id)],
    ["Started at", run?.started_at ? at(run.started_at) : null],
    ["Ended at", run?.finished_at ? at(run.finished_at) : null],
    ["Sent at", run === null ? at(event.occurred_at) : null],
  ];
  return facts.flatMap(([name, value]) => value === null ? [] : [{ name, value }]);
}

function taskOf({ task }: NotificationEvent): string {
  return task === null ? "a task" : cut(task.label, LABEL_LIMIT);
}

function logOf({ run }: NotificationEvent): string {
  return run === null ? "its log" : `log ${run.id}`;
}

/** Facts and advice, as a person reads them where there is no layout. Where there is too little room, the facts are cut. */
export function bodyText({ facts, next }: Message, limit = Infinity): string {
  const lines = facts.map(({ name, value }) => `${name}: ${value}`).join("\n");
  const advice = next === null ? "" : `\n\n${next}`;
  return cutLines(lines, limit - advice.length) + advice;
}

/** On one line, without control characters, and at most `limit` UTF-16 units with no half of a pair. */
export function cut(text: string, limit: number): string {
  // deno-lint-ignore no-control-regex
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
  return cutLines(line, limit);
}

/** The same, with its lines. */
export function cutLines(text: string, limit: number): string {
  if (text.length <= limit) return text.toWellFormed();
  return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "").trimEnd()}…`.toWellFormed();
}

function bytes(size: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let power = 0;
  while (size >= 1000 && power < units.length - 1) {
    size /= 1000;
    power++;
  }
  return `${power === 0 ? size : size.toFixed(1)} ${units[power]}`;
}
