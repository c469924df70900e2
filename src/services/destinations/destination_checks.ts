/** Checks a destination before its first use: writes, reads back and deletes a probe object. */
import { ConflictError, InvalidError, NotFoundError } from "../../domain/errors.ts";
import { destinationDirectory } from "../../definitions/destinations/location.ts";
import { definitionOf } from "../../definitions/destinations/registry.ts";
import type { DestinationCheckResult } from "../../protocol/wire_messages.ts";
import { isStorageType } from "../../storage/registry.ts";
import {
  type BackupDestinationRow,
  findBackupDestinationOf,
} from "../../store/destinations/backup_destinations.ts";
import { findRemoteServerOf } from "../../store/agents/remote_servers.ts";
import { requestAgent } from "../agent_rpc/agent_requests.ts";
import { transaction } from "../../store/database/database.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { draftText, MAX_DRAFT } from "../jobs/destination_drafts.ts";
import { bucketOf } from "../transfers/uploads.ts";
import type { BackupDestinationInput } from "./backup_destinations.ts";
import { completeFields, fieldsAfter, refuseConnection, sealedFields } from "./destination_settings.ts";
import { recordSpace } from "./space_watch.ts";

/** Time limit for the agent's check, which includes all steps, in milliseconds. */
const AGENT_TIMEOUT = 60_000;

type CheckOutcome = Omit<DestinationCheckResult, "space">;
type Checked = Pick<BackupDestinationRow, "type" | "settings" | "secrets">;

/**
 * Checks a destination and returns the outcome of each step. A failed step is an outcome, not an error.
 *
 * - A bucket is checked by this process.
 * - Any other destination is checked by the agent of `remoteServerId`. If the agent measures the
 *   destination's space, the space is recorded. Throws an `UnavailableError` if the agent can't be reached.
 */
export async function checkDestination(
  services: ServiceContext,
  caller: Caller,
  id: number,
  remoteServerId: number | null,
): Promise<CheckOutcome> {
  const destination = await findBackupDestinationOf(services.database, caller.workspaceId, id);
  if (destination === undefined) throw new NotFoundError("Backup destination");
  return await check(services, caller, destination, remoteServerId, async (serverId) => {
    const request = { kind: "destination.check", backup_destination_id: id } as const;
    const { space, ...checked } = await requestAgent(services, serverId, request, AGENT_TIMEOUT);
    if (space !== undefined) {
      const place = { destinationId: id, serverId };
      await transaction(services.database, (sql) => recordSpace(services, sql, place, space));
    }
    return checked;
  });
}

/**
 * Checks a destination with settings that are not saved. Works like {@link checkDestination}, but stores
 * nothing. If an agent makes the check, it gets the settings as a transient secret. Throws an {@link
 * InvalidError} if the settings are invalid. Saving them would fail too.
 *
 * @param input The destination's fields. `id` is the saved destination that the fields would change; null for
 *   a new one.
 */
export async function checkUnsavedDestination(
  services: ServiceContext,
  caller: Caller,
  input: BackupDestinationInput & { readonly id: number | null },
  remoteServerId: number | null,
): Promise<CheckOutcome> {
  const draft = await draftOf(services, caller, input);
  return await check(services, caller, draft, remoteServerId, async (serverId) => {
    const secret = draftText(draft, services.keyring);
    if (new TextEncoder().encode(secret).length > MAX_DRAFT) {
      throw new ConflictError(
        "The destination's settings are too large to be checked before they are saved. Save it, then check it.",
      );
    }
    const request = { kind: "destination.check", backup_destination_id: null } as const;
    const { space: _space, ...checked } = await requestAgent(services, serverId, request, AGENT_TIMEOUT, {
      secret,
    });
    return checked;
  });
}

async function draftOf(
  { database, keyring, network }: ServiceContext,
  caller: Caller,
  input: BackupDestinationInput & { readonly id: number | null },
): Promise<Checked> {
  const before = input.id === null
    ? null
    : await findBackupDestinationOf(database, caller.workspaceId, input.id);
  if (before === undefined) throw new InvalidError({ id: ["The selected backup destination is invalid."] });
  const type = input.type ?? before?.type;
  if (type === undefined) throw new InvalidError({ type: ["The type field is required."] });
  const sent = await sealedFields(keyring, input.values);
  const draft = { type, ...completeFields(type, before === null ? sent : fieldsAfter(before, sent)) };
  refuseConnection(network, draft);
  return draft;
}

/** @param askAgent Lets the agent of a server check the destination. */
async function check(
  services: ServiceContext,
  caller: Caller,
  destination: Checked,
  remoteServerId: number | null,
  askAgent: (serverId: number) => Promise<CheckOutcome>,
): Promise<CheckOutcome> {
  if (isStorageType(destination.type)) {
    const steps = await bucketOf(destination, services).check();
    return { ok: steps.every((step) => step.ok), steps };
  }
  if (remoteServerId === null) {
    throw new InvalidError({
      remote_server_id: [
        `The remote server id field is required when the destination's type is ${destination.type}.`,
      ],
    });
  }
  if (await findRemoteServerOf(services.database, caller.workspaceId, remoteServerId) === undefined) {
    throw new InvalidError({ remote_server_id: ["The selected remote server is invalid."] });
  }
  const { refusedRoot } = definitionOf(destination.type);
  if (refusedRoot !== undefined && destinationDirectory(destination, null) === "/") {
    return { ok: false, steps: [{ name: "connect", ok: false, message: refusedRoot.checking, ms: 0 }] };
  }
  return await askAgent(remoteServerId);
}
