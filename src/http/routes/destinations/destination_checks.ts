/** Endpoints that check destinations: saved ones, and ones that are not saved yet. */
import { z } from "@hono/zod-openapi";
import { id } from "../../../definitions/formats/text.ts";
import { CheckStep } from "../../../protocol/wire_messages.ts";
import {
  checkDestination,
  checkUnsavedDestination,
} from "../../../services/destinations/destination_checks.ts";
import { requireAccess } from "../../auth.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { storedInput, UnsavedBackupDestination } from "./backup_destination_input.ts";
import { backupDestination, EXAMPLES } from "./backup_destinations.ts";

const CheckResult = z.object({
  ok: z.boolean(),
  steps: z.array(z.object(CheckStep.shape)),
}).openapi("BackupDestinationCheck");

const common = {
  method: "post",
  group: backupDestination.plural,
  access: "update-backup-destinations",
  errors: { 503: "The agent is not connected, or did not answer." },
  answer: {
    status: 200,
    description: "The steps, up to the first one that failed.",
    content: {
      type: "application/json",
      schema: z.object({ data: CheckResult }),
      example: {
        data: { ok: true, steps: [{ name: "write", ok: true, message: "Wrote 66 bytes.", ms: 12 }] },
      },
    },
  },
} as const;

export const destinationCheckEndpoints: readonly Endpoint[] = [
  endpoint({
    ...common,
    path: "/api/backup-destinations/check",
    operationId: "checkUnsavedBackupDestination",
    summary: "Check a backup destination before it is saved",
    description:
      "Takes the same steps as the check of a saved destination, with the given fields. Nothing is stored. Without " +
      "`id`, also requires the ability `create-backup-destinations`.",
    body: {
      schema: UnsavedBackupDestination,
      example: { ...EXAMPLES.new, remote_server_id: 2 },
    },
    async handle({ services, caller, body: { id = null, remote_server_id = null, ...fields } }) {
      if (id === null) requireAccess(caller, "create-backup-destinations");
      const input = { ...storedInput(fields), id };
      return {
        status: 200,
        body: { data: await checkUnsavedDestination(services, caller, input, remote_server_id) },
      };
    },
  }),
  endpoint({
    ...common,
    path: "/api/backup-destinations/{id}/check",
    operationId: "checkBackupDestination",
    summary: "Check a backup destination",
    description:
      "Writes, reads back and deletes a probe object. The control plane checks a bucket; the agent of " +
      "`remote_server_id` checks a local path, an SFTP or a WebDAV server, and measures its `space`.",
    ids: { id: backupDestination.name },
    body: {
      schema: z.object({ remote_server_id: id().nullable().optional() }).openapi(
        "BackupDestinationCheckRequest",
      ),
      example: { remote_server_id: 2 },
    },
    async handle({ services, caller, params, body }) {
      const data = await checkDestination(services, caller, params.id, body.remote_server_id ?? null);
      return { status: 200, body: { data } };
    },
  }),
];
