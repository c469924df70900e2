/**
 * Combines several events into one message, with a line for each event. If not all lines fit, leaves out
 * successes.
 */
import type { NotificationEventName } from "../domain/notifications/event_classes.ts";
import type { NotificationEvent } from "../domain/notifications/notification.ts";
import { buildMessage } from "./build_message.ts";
import type { Message } from "./notification_message.ts";
import { cut } from "./text.ts";

/**
 * Maximum number of characters of a line. `HEAD_LIMIT` applies to the line without its reason, `LINE_LIMIT`
 * to the whole line.
 */
const HEAD_LIMIT = 90;
const LINE_LIMIT = 300;
/** Maximum number of events in one message for a channel without a limit of its own. */
export const MAX_LISTED = 500;

export interface DigestRoom {
  /** Maximum number of characters of all lines together. */
  characters: number;
}

/** Returns how many events a message lists in this much room, one on each line. */
export function maxListed({ characters }: DigestRoom): number {
  return Math.max(1, Math.min(MAX_LISTED, Math.floor(characters / (HEAD_LIMIT + 1)) - 1));
}

/**
 * Builds one message about all events. A single event yields an ordinary message.
 *
 * @param events The events in the order in which they happened.
 */
export function combineEvents(id: string, events: readonly NotificationEvent[], room: DigestRoom): Message {
  if (events.length === 1) return buildMessage(id, events[0]!);
  const messages = events.map((event) => buildMessage(id, event));
  const tone = (["bad", "warning", "good"] as const).find((each) =>
    messages.some(({ tone }) => tone === each)
  )!;
  const ordered = messages.toSorted((a, b) => rank(a) - rank(b));
  const listed = ordered.slice(0, maxListed(room));
  const perLine = Math.min(LINE_LIMIT, Math.floor(room.characters / (listed.length + 1)) - 1);
  const facts = listed.map((message) => lineOf(message, perLine));
  const rest = ordered.length - listed.length;
  if (rest > 0) {
    facts.push({ name: "Also", value: `${rest} more ${rest === 1 ? "backup" : "backups"} succeeded` });
  }
  const last = events.at(-1)!;
  return {
    id,
    event: { ...NO_DETAILS, event: "digest", occurred_at: last.occurred_at, timezone: last.timezone },
    events,
    tone,
    title: titleOf(events),
    facts,
    next: tone === "good" ? null : "GET /api/backup-task-logs has the log of each run.",
  };
}

const NO_DETAILS = { task: null, server: null, run: null, backup: null, reason: null };

/** Returns the rank of a message, by which the lines are sorted: problems first, plain successes last. */
function rank({ event, tone }: Message): number {
  if (event.event === "backup.succeeded" && tone === "good") return 3;
  return { bad: 0, warning: 1, good: 2 }[tone];
}

function lineOf({ event, title }: Message, limit: number): Message["facts"][number] {
  const about = [event.task && `task ${event.task.id}`, event.run && `log ${event.run.id}`].filter(Boolean);
  const reference = about.length === 0 ? "" : about.join(", ");
  const name = cut(title, Math.max(20, HEAD_LIMIT - reference.length - 2));
  const left = limit - name.length - reference.length - 4;
  const reason = event.reason === null || left < 20 ? "" : cut(event.reason, left);
  return { name, value: [reference, reason].filter((part) => part !== "").join(": ") };
}

/** Words for titles, by the event's name. `one` is for a single event of that name, `many` for several. */
const COUNTED: Partial<Record<NotificationEventName, [one: string, many: string]>> = {
  "backup.failed": ["backup failed", "backups failed"],
  "backup.lost": ["backup lost", "backups lost"],
  "backup.damaged": ["backup damaged", "backups damaged"],
  "backup.overdue": ["backup overdue", "backups overdue"],
  "backup.late": ["backup late", "backups late"],
  "backup.stalled": ["run stands still", "runs stand still"],
  "backup.recovered": ["task recovered", "tasks recovered"],
  "backup.succeeded": ["backup succeeded", "backups succeeded"],
  "agent.gone": ["agent gone", "agents gone"],
  "agent.back": ["agent back", "agents back"],
};

function titleOf(events: readonly NotificationEvent[]): string {
  const counts = new Map<string, number>();
  const names = new Map<string, [string, string]>();
  for (const { event } of events) {
    const name = COUNTED[event] ?? ["other", "others"];
    names.set(name[1], name);
    counts.set(name[1], (counts.get(name[1]) ?? 0) + 1);
  }
  const isLast = (many: string) => many === "others" ? 2 : many === "backups succeeded" ? 1 : 0;
  return [...counts].sort(([a], [b]) => isLast(a) - isLast(b))
    .map(([many, count]) => `${count} ${count === 1 ? names.get(many)![0] : many}`).join(", ");
}
