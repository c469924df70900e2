/** Converts a summary to the title, tone and facts of a message. */
import type { Summary } from "../domain/notifications/summary.ts";
import type { ProtectionStatus } from "../domain/protection.ts";
import { localIso } from "../domain/timezone.ts";
import type { Message } from "./notification_message.ts";
import { cut, formatBytes, LABEL_LIMIT } from "./text.ts";

const NAMES: Readonly<Record<ProtectionStatus, string>> = {
  never_backed_up: "Never backed up",
  late: "Late",
  failing: "Failing",
  paused: "Paused",
  protected: "Protected",
};
const REASON_LIMIT = 200;

export function summaryTitle({ period, verdict }: Summary): string {
  return `${period === "daily" ? "Daily" : "Weekly"} summary: ${verdict.replace(/\.$/, "")}`;
}

export function summaryTone({ counts, is_protected, runs }: Summary): Message["tone"] {
  if (!is_protected) return "bad";
  return counts.failing > 0 || counts.never_backed_up > 0 || runs.failed > 0 ? "warning" : "good";
}

/**
 * Returns the numbers first, and then each task that is not protected. So the numbers remain if a channel
 * cuts the message.
 */
export function summaryFacts(summary: Summary, timezone: string): Message["facts"] {
  const { backups, counts, proven, runs, since, stored, tasks } = summary;
  const at = (time: string) => localIso(timezone, new Date(time));
  const statuses = (["protected", "late", "failing", "never_backed_up", "paused"] as const)
    .filter((status) => status === "protected" || counts[status] > 0)
    .map((status) => `${counts[status]} ${NAMES[status].toLowerCase()}`);
  return [
    { name: "Tasks", value: statuses.join(", ") },
    { name: "Since", value: at(since) },
    {
      name: "Runs since then",
      value: `${runs.succeeded} succeeded, ${runs.warnings} with warnings, ${runs.failed} failed`,
    },
    { name: "Stored since then", value: `${backups.count} backups, ${formatBytes(backups.size)}` },
    { name: "Stored in all", value: `${stored.count} backups, ${formatBytes(stored.size)}` },
    {
      name: "Last proven restore",
      value: proven === null
        ? "none"
        : `${cut(proven.label, LABEL_LIMIT)} (${proven.task_id}), ${at(proven.at)}`,
    },
    ...tasks.map(({ id, label, reason, status }) => ({
      name: NAMES[status],
      value: `${cut(label, LABEL_LIMIT)} (${id})${reason === null ? "" : `: ${cut(reason, REASON_LIMIT)}`}`,
    })),
  ];
}
