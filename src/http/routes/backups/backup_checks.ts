/** Endpoints that start verifications and drills of backups. */
import { z } from "@hono/zod-openapi";
import { startDrill } from "../../../services/backups/drills.ts";
import { startVerification } from "../../../services/backups/verifications.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { SERVER_FIELDS } from "../../../definitions/sources/database_server.ts";
import { id } from "../../../definitions/formats/text.ts";

const VerifyInput = z.object({
  remote_server_id: id().openapi({
    description: "The server whose agent reads it. Default: the one that made the backup.",
  }),
}).partial();

const DrillInput = z.object({
  remote_server_id: id().openapi({
    description: "The server that it is restored on. Default: the one that made the backup.",
  }),
  ...SERVER_FIELDS,
}).partial();

const message = "Verification initiated successfully.";
const drillMessage = "Restore drill initiated successfully.";

/** Describes the response that names the log of a queued run. */
function queued(message: string) {
  return {
    status: 202 as const,
    description: "The record of the run is at `/api/backup-task-logs/{backup_task_log_id}`.",
    content: {
      type: "application/json" as const,
      schema: z.object({ message: z.string(), backup_task_log_id: z.int() }),
      example: { message, backup_task_log_id: 9 },
    },
  };
}

export const backupCheckEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "post",
    path: "/api/backups/{id}/verify",
    operationId: "verifyBackup",
    group: "Backups",
    summary: "Verify a backup",
    description:
      "Queues a verification run. Every object is read back, its size and SHA-256 are compared with the record, and it is decrypted, " +
      "unpacked and compared with its index and manifest. For a backup that is encrypted to recipients, only sizes and SHA-256 are checked. " +
      "A success sets `verified_at`. Damage fails the run and sets `damaged_at` and `damage_reason`. An impossible check, " +
      "for example because the destination does not answer, fails the run and changes nothing else.",
    access: "run-backup-tasks",
    ids: { id: "Backup" },
    body: { schema: VerifyInput, example: {} },
    errors: {
      409:
        "The backup is being deleted or verified, or it is on the disk of another server, whose agent is not connected, " +
        "too old or deleted.",
    },
    answer: queued(message),
    async handle({ services, caller, params, body }) {
      const { runId } = await startVerification(services, caller, params.id, body.remote_server_id);
      return { status: 202, body: { message, backup_task_log_id: runId } };
    },
  }),
  endpoint({
    method: "post",
    path: "/api/backups/{id}/drill",
    operationId: "drillBackup",
    group: "Backups",
    summary: "Restore a backup in a drill",
    description:
      "Queues a restore drill. The backup is restored to a temporary location: files into the agent's state directory, " +
      "databases into scratch databases on the task's server. It is compared with its index, or with the tables and rows in its " +
      "manifest, and removed again. A success sets `proven_at` and `drill_duration_ms`. A difference fails " +
      "the run and sets `damaged_at` and `damage_reason`. An impossible drill fails the run and changes nothing else.",
    access: "run-backup-tasks",
    ids: { id: "Backup" },
    body: { schema: DrillInput, example: {} },
    errors: {
      409:
        "The backup is being deleted or restored in a drill, the control plane can't decrypt it, or it is on the disk of " +
        "another server, whose agent is not connected, too old or deleted.",
    },
    answer: queued(drillMessage),
    async handle({ services, caller, params, body }) {
      const { runId } = await startDrill(services, caller, params.id, body.remote_server_id, body);
      return { status: 202, body: { message: drillMessage, backup_task_log_id: runId } };
    },
  }),
];
