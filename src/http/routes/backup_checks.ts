/** Proof that a backup is what was stored. */
import { z } from "@hono/zod-openapi";
import { startVerification } from "../../services/verifications.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { id } from "../input.ts";

const VerifyInput = z.object({
  remote_server_id: id().openapi({
    description: "The server whose agent reads it. Default: the one that made the backup.",
  }),
}).partial();

const message = "Verification initiated successfully.";

export const backupCheckEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "post",
    path: "/api/backups/{id}/verify",
    operationId: "verifyBackup",
    group: "Backups",
    summary: "Verify a backup",
    description:
      "Queues a verification run: every object is read back, its size and SHA-256 compared with what was stored, decrypted, " +
      "unpacked and held against its index and manifest; of a backup that is encrypted to recipients, sizes and SHA-256 only. " +
      "A success sets `verified_at`. Damage fails the run and sets `damaged_at` and `damage_reason`; what could not be found " +
      "out, such as when the destination does not answer, fails the run and changes nothing else.",
    access: "run-backup-tasks",
    ids: { id: "Backup" },
    body: { schema: VerifyInput, example: {} },
    errors: { 409: "The backup is being deleted, is being verified, or lies out of the server's reach." },
    answer: {
      status: 202,
      description: "The record of the run is at `/api/backup-task-logs/{backup_task_log_id}`.",
      content: {
        type: "application/json",
        schema: z.object({ message: z.string(), backup_task_log_id: z.int() }),
        example: { message, backup_task_log_id: 9 },
      },
    },
    async handle({ services, caller, params, body }) {
      const { runId } = await startVerification(services, caller, params.id, body.remote_server_id);
      return { status: 202, body: { message, backup_task_log_id: runId } };
    },
  }),
];
