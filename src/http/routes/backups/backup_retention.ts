/** Endpoints about retention. They hold or release a backup, clear it of suspicion, or mark it as intact. */
import { z } from "@hono/zod-openapi";
import { clearDamage, clearSuspicion, holdBackup, releaseBackup } from "../../../services/backups/backups.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { text } from "../../../definitions/formats/text.ts";
import { dataContent } from "../../resource.ts";
import { backup } from "./backup_view.ts";

const GROUP = backup.plural;
const access = "delete-backups";
const ids = { id: backup.name };
const answer = { status: 200, description: "The backup after the change.", content: dataContent(backup) };

export const backupRetentionEndpoints: readonly Endpoint[] = [
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
