/** Words for what tasks back up, and when. */
import { DEFINITIONS } from "../../../definitions/sources/registry.ts";
import type { Choice } from "../../components/form.tsx";
import { count, counted } from "../../components/number.tsx";
import type { View } from "../../view.ts";
import type { BackupTask } from "./records.ts";

/** The values of a task's `type`, in words. */
export const KINDS: readonly Choice[] = [
  ...new Map([...DEFINITIONS.values()].map(({ taskType, holds }) => [taskType, holds])),
].map(([value, label]) => ({ value, label: capitalized(label) }));

/** Returns the text with its first letter in upper case. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A schedule of the API. */
interface Schedule {
  readonly description: string;
  readonly timezone: string | null;
}

/** Returns a schedule in words, without the time zone if it is the user's own. */
export function scheduleWords(view: View, { description, timezone }: Schedule): string {
  if (timezone !== view.user.timezone) return description;
  return description.replace(` (${timezone})`, "").replace(` ${timezone}`, "");
}

/** The retention rules that keep the newest backup of each period, with the words for the periods. */
const PERIODS = [
  ["keep_hourly", "hourly"],
  ["keep_daily", "daily"],
  ["keep_weekly", "weekly"],
  ["keep_monthly", "monthly"],
  ["keep_yearly", "yearly"],
] as const;

const AND = new Intl.ListFormat("en-GB", { type: "conjunction" });

/** Says which backups of a task are kept: `The newest 7, 4 weekly and 12 monthly`. */
export function retentionWords(task: BackupTask): string {
  const newest = Math.max(task.maximum_backups_to_keep, task.keep_last ?? 0);
  const rules = [
    ...newest > 0 ? [`the newest ${count(newest)}`] : [],
    ...PERIODS.flatMap(([rule, word]) => (task[rule] ?? 0) > 0 ? [`${count(task[rule]!)} ${word}`] : []),
  ];
  if (rules.length === 0) return "Every backup";
  const days = task.minimum_age_days ?? 0;
  const young = days > 0 ? [`those of the last ${counted(days, "day")}`] : [];
  return capitalized(AND.format([...rules, ...young]));
}

/** Says how a task's backups are encrypted. */
export function encryptionWords(task: BackupTask): string {
  const recipients = task.encryption_recipients.length;
  if (recipients > 0) return `To ${counted(recipients, "public key")}`;
  return task.has_encryption_password ? "With a password" : "None";
}

/** Says how often something is done, such as `Every 7 days`. */
export function everyDays(days: number): string {
  return days === 0 ? "Only on demand" : days === 1 ? "Every day" : `Every ${count(days)} days`;
}
