/** Converts an event to a message in plain text, which each channel escapes and formats. */
import type { NotificationEvent } from "../domain/notifications/notification.ts";
import { localIso } from "../domain/timezone.ts";
import { WORDS } from "./event_words.ts";
import { cut, cutLines, formatBytes, LABEL_LIMIT } from "./text.ts";
import { summaryFacts } from "./summary_message.ts";
import type { Message } from "./notification_message.ts";

/**
 * Maximum number of characters of a reason. A longer one is cut, so that no channel refuses the message for
 * its length.
 */
const REASON_LIMIT = 600;

export function buildMessage(id: string, event: NotificationEvent): Message {
  const { tone, title, next } = WORDS[event.event](event);
  return { id, event, events: [event], tone, title: title + ongoingOf(event), facts: factsOf(event), next };
}

function factsOf(event: NotificationEvent): Message["facts"] {
  if (event.summary !== undefined) return summaryFacts(event.summary, event.timezone);
  const { task, server, run, backup, reason, timezone } = event;
  const at = (time: string) => localIso(timezone, new Date(time));
  const facts: [name: string, value: string | null][] = [
    ["Reason", reason === null ? null : cut(reason, REASON_LIMIT)],
    ["Task", task && `${cut(task.label, LABEL_LIMIT)} (${task.id})`],
    ["Server", server && `${cut(server.label, LABEL_LIMIT)} (${server.id})`],
    ["Backup", backup && `${cut(backup.file_name, 255)} (${backup.id}), ${formatBytes(backup.size)}`],
    ["Stored at", backup && at(backup.created_at)],
    ["Log", run && String(run.id)],
    ["Started at", run?.started_at ? at(run.started_at) : null],
    ["Ended at", run?.finished_at ? at(run.finished_at) : null],
    ["Sent at", run === null ? at(event.occurred_at) : null],
  ];
  return facts.flatMap(([name, value]) => value === null ? [] : [{ name, value }]);
}

function ongoingOf({ event, ongoing, timezone }: NotificationEvent): string {
  if (ongoing === undefined || ["backup.recovered", "agent.back", "destination.has_room"].includes(event)) {
    return "";
  }
  return ` (${ongoing.count === 1 ? "" : `${ongoing.count} times `}since ${
    localIso(timezone, new Date(ongoing.since))
  })`;
}

/**
 * Returns a message's facts and its next step as plain text. If the text exceeds `limit` characters, the
 * facts are cut.
 */
export function bodyText({ facts, next }: Message, limit = Infinity): string {
  const lines = facts.map(({ name, value }) => `${name}: ${value}`).join("\n");
  const advice = next === null ? "" : `\n\n${next}`;
  return cutLines(lines, limit - advice.length) + advice;
}
