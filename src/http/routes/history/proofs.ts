/** Defines the endpoint that shows when the backups of tasks were proven, and how. */
import { z } from "@hono/zod-openapi";
import { integer } from "../../../definitions/formats/text.ts";
import { type Check, CHECK_OUTCOMES, showProofs, type TaskProofs } from "../../../services/history/proofs.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { idParameter } from "../../input/list_filters.ts";
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
  proven: z.object({
    last_at: Time.nullable().openapi({ description: "The last drill that restored a backup." }),
    restore_ms: z.int().nullable().openapi({ description: "How long its restore took." }),
  }),
  checked: z.object({
    last_at: Time.nullable().openapi({ description: "The last verification with a result." }),
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
  return {
    backup_task_id: task.id,
    label: task.label,
    proven: { last_at: isoTimeOrNull(task.last_proven_at), restore_ms: task.restore_duration_ms },
    checked: { last_at: isoTimeOrNull(task.last_checked_at) },
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
            proven: { last_at: "2024-08-01T03:00:06Z", restore_ms: 5200 },
            checked: { last_at: "2024-08-05T03:00:00Z" },
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
      const tasks = await showProofs(services, caller, query);
      return { status: 200, body: { data: tasks.map(present) } };
    },
  }),
];
