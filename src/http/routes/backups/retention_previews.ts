/** Endpoint that previews what retention would remove. */
import { z } from "@hono/zod-openapi";
import { queryShape } from "../../../definitions/fields/input.ts";
import { presentFields, shownShape } from "../../../definitions/fields/view.ts";
import { TASK_RETENTION_FIELDS } from "../../../definitions/task_retention_fields.ts";
import { TASK_SCHEDULE_FIELDS } from "../../../definitions/task_schedule_fields.ts";
import { KEEP_REASONS } from "../../../domain/retention.ts";
import { previewRetention, type RetentionPreview } from "../../../services/retention/retention_previews.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";
import { backupTask } from "../tasks/backup_task_view.ts";

const Preview = z.object({
  backup_task_id: z.int(),
  timezone: z.string().openapi({ description: "The time zone of hours, days, weeks, months and years." }),
  policy: z.object(shownShape(TASK_RETENTION_FIELDS)),
  kept: z.int(),
  removed: z.int(),
  removed_size: z.int().openapi({ description: "Bytes of the archives that would be removed." }),
  removed_oldest_at: Time.nullable().openapi({ description: "When the oldest of them was made." }),
  removed_newest_at: Time.nullable(),
  summary: z.string().openapi({
    description: "A summary of the removals in sentences, for a person who confirms them.",
  }),
  change: z.object({
    removed: z.int().openapi({ description: "Backups that the saved rules would keep." }),
    removed_size: z.int(),
    oldest_at: Time.nullable(),
    newest_at: Time.nullable(),
    kept: z.int().openapi({ description: "Backups that the saved rules would remove." }),
  }).openapi({ description: "The differences that the parameters make, compared with the saved fields." }),
  deletes_at: Time.nullable().openapi({
    description:
      "Until then at least, removed backups would stay in the trash, if the parameters were saved now. Null: they " +
      "would not go there.",
  }),
  backups: z.array(z.object({
    id: z.int(),
    file_name: z.string(),
    size: z.int(),
    created_at: Time,
    action: z.enum(["keep", "remove"]),
    reasons: z.array(z.object({ rule: z.enum(KEEP_REASONS), text: z.string() })).openapi({
      description: "The reasons to keep it; empty if it would be removed.",
    }),
    is_changed: z.boolean().openapi({ description: "Whether the saved fields give another action." }),
  })).openapi({ description: "Every stored backup, newest first, except those that are being deleted." }),
}).openapi("RetentionPreview");
type Preview = z.output<typeof Preview>;

function present(preview: RetentionPreview): Preview {
  const backups = preview.decisions.map((
    { backup: { id, file_name, size, created_at }, reasons, isChanged },
  ) => ({
    id,
    file_name,
    size,
    created_at: isoTime(created_at),
    action: reasons.length > 0 ? "keep" as const : "remove" as const,
    reasons: [...reasons],
    is_changed: isChanged,
  }));
  const removed = backups.filter(({ action }) => action === "remove");
  const added = removed.filter(({ is_changed }) => is_changed);
  return {
    backup_task_id: preview.backupTaskId,
    timezone: preview.timezone,
    policy: presentFields(TASK_RETENTION_FIELDS, preview.policy),
    kept: backups.length - removed.length,
    removed: removed.length,
    removed_size: sizeOf(removed),
    removed_oldest_at: spanOf(removed).oldest_at,
    removed_newest_at: spanOf(removed).newest_at,
    summary: preview.summary,
    change: {
      removed: added.length,
      removed_size: sizeOf(added),
      ...spanOf(added),
      kept: backups.filter(({ action, is_changed }) => action === "keep" && is_changed).length,
    },
    deletes_at: isoTimeOrNull(preview.deletesAt),
    backups,
  };
}

function sizeOf(backups: readonly { size: number }[]): number {
  return backups.reduce((sum, { size }) => sum + size, 0);
}

function spanOf(backups: readonly { created_at: string }[]) {
  const times = backups.map(({ created_at }) => created_at).sort();
  return { oldest_at: times[0] ?? null, newest_at: times.at(-1) ?? null };
}

const example: Preview = {
  backup_task_id: 2,
  timezone: "Europe/Berlin",
  policy: {
    maximum_backups_to_keep: 0,
    keep_last: null,
    keep_hourly: null,
    keep_daily: 1,
    keep_weekly: null,
    keep_monthly: null,
    keep_yearly: null,
    minimum_age_days: null,
  },
  kept: 1,
  removed: 1,
  removed_size: 31457280,
  removed_oldest_at: "2024-08-06T02:00:04Z",
  removed_newest_at: "2024-08-06T02:00:04Z",
  summary: "This change would delete 1 backup (31.5 MB) from 2024-08-06 04:00.",
  change: {
    removed: 1,
    removed_size: 31457280,
    oldest_at: "2024-08-06T02:00:04Z",
    newest_at: "2024-08-06T02:00:04Z",
    kept: 0,
  },
  deletes_at: "2024-08-10T12:00:00Z",
  backups: [
    {
      id: 8,
      file_name: "backup_2_20240807020000.tar.zst",
      size: 31457290,
      created_at: "2024-08-07T02:00:04Z",
      action: "keep",
      reasons: [{ rule: "keep_daily", text: "daily 2024-08-07" }, {
        rule: "newest_good",
        text: "the newest intact one",
      }],
      is_changed: false,
    },
    {
      id: 7,
      file_name: "backup_2_20240806020000.tar.zst",
      size: 31457280,
      created_at: "2024-08-06T02:00:04Z",
      action: "remove",
      reasons: [],
      is_changed: true,
    },
  ],
};

export const retentionPreviewEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/backup-tasks/{id}/retention-preview",
    operationId: "previewRetention",
    group: backupTask.plural,
    summary: "Preview what retention would remove",
    description:
      "Shows which backups retention would remove now, and why the others stay. Nothing is removed; retention runs " +
      "when the task's next backup is stored. Parameters replace the task's own fields; an empty one clears a rule.",
    access: "view-backup-tasks",
    ids: { id: backupTask.name },
    query: z.object({
      ...queryShape(TASK_RETENTION_FIELDS),
      ...queryShape({ timezone: TASK_SCHEDULE_FIELDS.timezone }),
    }),
    answer: {
      status: 200,
      description: "Every stored backup, and whether it would be kept.",
      content: {
        type: "application/json",
        schema: z.object({ data: Preview }),
        example: { data: example },
      },
    },
    async handle({ services, caller, params, query }) {
      return {
        status: 200,
        body: { data: present(await previewRetention(services, caller, params.id, query)) },
      };
    },
  }),
];
