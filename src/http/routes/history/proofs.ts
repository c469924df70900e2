/** Defines the endpoint that shows when the backups of tasks were proven, and how. */
import { z } from "@hono/zod-openapi";
import { integer } from "../../../definitions/formats/text.ts";
import { PROOF_STATUSES } from "../../../domain/history/proof.ts";
import { type Check, CHECK_OUTCOMES, showProofs, type TaskProofs } from "../../../services/history/proofs.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { idList, idParameter } from "../../input/list_filters.ts";

import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";
import { evidenceExample, EvidenceView, presentEvidence } from "../runs/evidence_view.ts";

const CheckView = z.object({
  id: z.int().openapi({ description: "The id of the run's log." }),
  kind: z.enum(["verify", "drill"]),
  backup_id: z.int().nullable().openapi({ description: "Null: the backup is deleted." }),
  backup_created_at: Time.nullable(),
  started_at: Time.nullable(),
  finished_at: Time,
  outcome: z.enum(CHECK_OUTCOMES).openapi({
    description: "`damaged`: the backup is. `failed`: it could not be found out whether it is.",
  }),
  reason: z.string().nullable(),
  evidence: EvidenceView.nullable().openapi({ description: "Null unless it is `proven` or `verified`." }),
});

const TaskProofsView = z.object({
  backup_task_id: z.int(),
  label: z.string(),
  status: z.enum(PROOF_STATUSES).openapi({
    description:
      "`proven`: a drill succeeded within `drill_every` days and one more. `not_drilled`: no drill starts by " +
      "itself, see `note`. `damaged`: a stored backup is.",
  }),
  note: z.string().nullable().openapi({ description: "Why no drill starts by itself; null if drills do." }),
  newest_backup_id: z.int().nullable().openapi({ description: "Without backups that are being deleted." }),
  is_drillable: z.boolean().openapi({ description: "Whether a drill of the newest backup is possible." }),
  damaged_backups_count: z.int(),
  proven: z.object({
    last_at: Time.nullable().openapi({ description: "The last drill that restored a backup." }),
    restore_ms: z.int().nullable().openapi({ description: "How long its restore took." }),
    every_days: z.int().openapi({ description: "`drill_every` of the task." }),
    due_at: Time.nullable().openapi({ description: "The next drill; null if none starts by itself." }),
  }),
  checked: z.object({
    last_at: Time.nullable().openapi({ description: "The last verification with a result." }),
    every_days: z.int().openapi({ description: "`verify_every` of the task." }),
    due_at: Time.nullable().openapi({ description: "The next verification; null if none starts by itself." }),
  }),
  checks: z.array(CheckView).openapi({ description: "The oldest first." }),
}).openapi("BackupTaskProofs");

function presentCheck(check: Check): z.output<typeof CheckView> {
  return {
    id: check.id,
    kind: check.kind,
    backup_id: check.backup_id,
    backup_created_at: isoTimeOrNull(check.backup_created_at),
    started_at: isoTimeOrNull(check.started_at),
    finished_at: isoTime(check.finished_at),
    outcome: check.outcome,
    reason: check.reason,
    evidence: check.evidence && presentEvidence(check.evidence),
  };
}

function present(task: TaskProofs): z.output<typeof TaskProofsView> {
  const isDrilled = task.note === null && task.newest !== null;
  const isVerified = task.paused_at === null && task.verify_every > 0;
  return {
    backup_task_id: task.id,
    label: task.label,
    status: task.status,
    note: task.note,
    newest_backup_id: task.newest?.id ?? null,
    is_drillable: task.is_drillable,
    damaged_backups_count: task.damaged_count,
    proven: {
      last_at: isoTimeOrNull(task.last_proven_at),
      restore_ms: task.restore_duration_ms,
      every_days: task.drill_every,
      due_at: isDrilled ? isoTime(task.drill_due_at) : null,
    },
    checked: {
      last_at: isoTimeOrNull(task.last_checked_at),
      every_days: task.verify_every,
      due_at: isVerified ? isoTimeOrNull(task.verification_due_at) : null,
    },
    checks: task.checks.map(presentCheck),
  };
}

export const proofEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/history/proofs",
    operationId: "showProofs",
    group: "History",
    summary: "Show the verifications and drills of tasks, with what they proved",
    description: "The times of the last ones stay when backups and logs are deleted.",
    access: "view-backup-tasks",
    query: z.object({
      backup_task_id: idParameter(
        "this backup task, with its last checks. Default: every task, with its last " +
          "verification and its last drill",
      ),
      ids: idList.optional().openapi({
        type: "string",
        description: "Several backup tasks, separated by commas, each with its last checks.",
        example: "1,2,3",
      }),
      limit: integer(1, 200).default(50).openapi({ description: "How many checks of a task.", example: 50 }),
    }),
    answer: {
      status: 200,
      description: "Tasks with their checks.",
      content: {
        type: "application/json",
        schema: z.object({ data: z.array(TaskProofsView) }),
        example: {
          data: [{
            backup_task_id: 1,
            label: "Daily Database Backup",
            status: "proven",
            note: null,
            newest_backup_id: 9,
            is_drillable: true,
            damaged_backups_count: 0,
            proven: {
              last_at: "2024-08-01T03:00:06Z",
              restore_ms: 5200,
              every_days: 30,
              due_at: "2024-08-31T03:00:06Z",
            },
            checked: {
              last_at: "2024-08-05T03:00:00Z",
              every_days: 7,
              due_at: "2024-08-12T03:00:00Z",
            },
            checks: [{
              id: 7,
              kind: "drill",
              backup_id: 3,
              backup_created_at: "2024-07-31T01:00:00Z",
              started_at: "2024-08-01T03:00:00Z",
              finished_at: "2024-08-01T03:00:06Z",
              outcome: "proven",
              reason: null,
              evidence: presentEvidence(evidenceExample),
            }],
          }],
        },
      },
    },
    async handle({ services, caller, query }) {
      const ids = query.ids ?? (query.backup_task_id === undefined ? undefined : [query.backup_task_id]);
      const tasks = await showProofs(services, caller, { ids, limit: query.limit });
      return { status: 200, body: { data: tasks.map(present) } };
    },
  }),
];
