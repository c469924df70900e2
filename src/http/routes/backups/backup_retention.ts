/**
 * Endpoints about retention. They hold or release a backup, clear it of suspicion, mark it as intact, or
 * preview what a task's rules would remove.
 */
import { z } from "@hono/zod-openapi";
import { queryShape } from "../../../definitions/fields/input.ts";
import { presentFields, shownShape } from "../../../definitions/fields/view.ts";
import { TASK_RETENTION_FIELDS } from "../../../definitions/task_retention_fields.ts";
import { KEEP_REASONS, type RetentionPolicy } from "../../../domain/retention.ts";
import { clearDamage, clearSuspicion, holdBackup, releaseBackup } from "../../../services/backups/backups.ts";
import { previewRetention, type RetentionPreview } from "../../../services/retention/retention_previews.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { text } from "../../../definitions/formats/text.ts";
import { dataContent } from "../../resource.ts";
import { isoTime, Time } from "../../input/time.ts";
import { backupTask } from "../tasks/backup_task_view.ts";
import { backup } from "./backup_view.ts";

const Preview = z.object({
  backup_task_id: z.int(),
  timezone: z.string().openapi({ description: "The time zone of hours, days, weeks, months and years." }),
  policy: z.object(shownShape(TASK_RETENTION_FIELDS)),
  kept: z.int(),
  removed: z.int(),
  removed_size: z.int().openapi({ description: "Bytes of the archives that would be removed." }),
  backups: z.array(z.object({
    id: z.int(),
    file_name: z.string(),
    size: z.int(),
    created_at: Time,
    action: z.enum(["keep", "remove"]),
    reasons: z.array(z.object({ rule: z.enum(KEEP_REASONS), text: z.string() })).openapi({
      description: "The reasons to keep it; empty if it would be removed.",
    }),
  })).openapi({ description: "Every stored backup, newest first, except those that are being deleted." }),
}).openapi("RetentionPreview");
type Preview = z.output<typeof Preview>;

function present({ backupTaskId, timezone, policy, decisions }: RetentionPreview): Preview {
  const backups = decisions.map(({ backup: { id, file_name, size, created_at }, reasons }) => ({
    id,
    file_name,
    size,
    created_at: isoTime(created_at),
    action: reasons.length > 0 ? "keep" as const : "remove" as const,
    reasons: [...reasons],
  }));
  const removed = backups.filter(({ action }) => action === "remove");
  return {
    backup_task_id: backupTaskId,
    timezone,
    policy: presentFields(TASK_RETENTION_FIELDS, policy),
    kept: backups.length - removed.length,
    removed: removed.length,
    removed_size: removed.reduce((sum, { size }) => sum + size, 0),
    backups,
  };
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
    },
    {
      id: 7,
      file_name: "backup_2_20240806020000.tar.zst",
      size: 31457280,
      created_at: "2024-08-06T02:00:04Z",
      action: "remove",
      reasons: [],
    },
  ],
};

const GROUP = backup.plural;
const access = "delete-backups";
const ids = { id: backup.name };
const answer = { status: 200, description: "The backup after the change.", content: dataContent(backup) };

export const backupRetentionEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/backup-tasks/{id}/retention-preview",
    operationId: "previewRetention",
    group: backupTask.plural,
    summary: "Preview what retention would remove",
    description:
      "Shows which backups retention would remove now, and why the others stay. Nothing is removed; retention runs " +
      "when the task's next backup is stored. Parameters replace the task's own fields.",
    access: "view-backup-tasks",
    ids: { id: backupTask.name },
    query: z.object(queryShape(TASK_RETENTION_FIELDS)),
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
      const changes: Partial<RetentionPolicy> = query;
      return {
        status: 200,
        body: { data: present(await previewRetention(services, caller, params.id, changes)) },
      };
    },
  }),
  endpoint({
    method: "post",
    path: "/api/backups/{id}/hold",
    operationId: "holdBackup",
    group: GROUP,
    summary: "Hold a backup",
    description:
      "Until it is released, neither retention nor a request removes it, and it does not count against a rule's number.",
    access,
    ids,
    body: {
      schema: z.object({ reason: text(1000).nullable().optional() }).openapi("HoldRequest"),
      example: { reason: "Before the move to the new server" },
    },
    errors: { 409: "The backup is being deleted." },
    answer,
    async handle({ services, caller, params, body }) {
      const row = await holdBackup(services, caller, params.id, body.reason ?? null);
      return { status: 200, body: { data: backup.present(row) } };
    },
  }),
  endpoint({
    method: "delete",
    path: "/api/backups/{id}/hold",
    operationId: "releaseBackup",
    group: GROUP,
    summary: "Release a held backup",
    description: "Its hold ends at `hold_ends_at`: after the time for which the trash keeps deleted records.",
    access,
    ids,
    answer,
    async handle({ services, caller, params }) {
      const row = await releaseBackup(services, caller, params.id);
      return { status: 200, body: { data: backup.present(row) } };
    },
  }),
  endpoint({
    method: "delete",
    path: "/api/backups/{id}/suspicion",
    operationId: "clearSuspicion",
    group: GROUP,
    summary: "Clear a backup of suspicion",
    description: "The task's rules then apply to its older backups again.",
    access,
    ids,
    answer,
    async handle({ services, caller, params }) {
      const row = await clearSuspicion(services, caller, params.id);
      return { status: 200, body: { data: backup.present(row) } };
    },
  }),
  endpoint({
    method: "delete",
    path: "/api/backups/{id}/damage",
    operationId: "clearDamage",
    group: GROUP,
    summary: "Mark a damaged backup as intact",
    description:
      "For a report of damage that you know to be wrong. A successful verification clears the damage that verifications, restores and " +
      "listings reported, and a successful drill the damage that drills reported. Until then, or until this request, it is damaged.",
    access,
    ids,
    answer,
    async handle({ services, caller, params }) {
      const row = await clearDamage(services, caller, params.id);
      return { status: 200, body: { data: backup.present(row) } };
    },
  }),
];
