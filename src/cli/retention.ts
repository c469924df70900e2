/** What retention would do, as a table: each backup with why it stays. */
import type { Column } from "./output.ts";
import { humanSize } from "./progress.ts";
import type { RetentionPreview } from "./records.ts";

/** Of a task, and of a preview in place of the task's own. Each is a field of the API's, with dashes for underscores. */
export const RETENTION_FLAGS: readonly (readonly [flag: string, description: string])[] = [
  ["--maximum-backups-to-keep <count>", "0 keeps all"],
  ["--keep-last <count>", "keeps the newest"],
  ["--keep-hourly <count>", "keeps the newest of each hour that has one"],
  ["--keep-daily <count>", "keeps the newest of each day that has one"],
  ["--keep-weekly <count>", "keeps the newest of each week that has one"],
  ["--keep-monthly <count>", "keeps the newest of each month that has one"],
  ["--keep-yearly <count>", "keeps the newest of each year that has one"],
  ["--minimum-age-days <days>", "nothing younger is removed"],
];

export const PREVIEW_COLUMNS: readonly Column<RetentionPreview["backups"][number]>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Created", value: (backup) => backup.created_at },
  { title: "Size", align: "right", value: ({ size }) => humanSize(size) },
  { title: "Retention", value: ({ action }) => action },
  { title: "Why", value: ({ reasons }) => reasons.map(({ text }) => text).join(", ") },
];

/** `2 backups stay, 1 goes: 30 MB`. */
export function previewSummary({ kept, removed, removed_size }: RetentionPreview): string {
  const stay = `${kept} ${kept === 1 ? "backup stays" : "backups stay"}`;
  return `${stay}, ${removed} ${removed === 1 ? "goes" : "go"}: ${humanSize(removed_size)}`;
}
