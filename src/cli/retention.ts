/** Formats the preview of retention as a table: each backup with the reasons to keep it. */
import type { Column } from "./output.ts";
import { humanSize } from "./progress.ts";
import type { RetentionPreview } from "./records.ts";

export const PREVIEW_COLUMNS: readonly Column<RetentionPreview["backups"][number]>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Created", value: (backup) => backup.created_at },
  { title: "Size", align: "right", value: ({ size }) => humanSize(size) },
  { title: "Retention", value: ({ action }) => action },
  { title: "Why", value: ({ reasons }) => reasons.map(({ text }) => text).join(", ") },
];

/** Returns a summary: `2 backups stay, 1 goes: 30 MB`. */
export function previewSummary({ kept, removed, removed_size }: RetentionPreview): string {
  const stay = `${kept} ${kept === 1 ? "backup stays" : "backups stay"}`;
  return `${stay}, ${removed} ${removed === 1 ? "goes" : "go"}: ${humanSize(removed_size)}`;
}
