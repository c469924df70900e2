/** Checks a destination before its first use: writes, reads back and deletes a probe object. */
import { InvalidError, NotFoundError } from "../../domain/errors.ts";
import { destinationDirectory } from "../../definitions/destinations/location.ts";
import { definitionOf } from "../../definitions/destinations/registry.ts";
import type { DestinationCheckResult } from "../../protocol/wire_messages.ts";
import { isStorageType } from "../../storage/registry.ts";
import { findBackupDestinationOf } from "../../store/destinations/backup_destinations.ts";
import { findRemoteServerOf } from "../../store/agents/remote_servers.ts";
import { requestAgent } from "../agent_rpc/agent_requests.ts";
import { transaction } from "../../store/database/database.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { bucketOf } from "../transfers/uploads.ts";
import { recordSpace } from "./space_watch.ts";

/** Time limit of the agent for all steps, in milliseconds. */
const AGENT_TIMEOUT = 60_000;

/**
 * Checks a destination and returns the outcome of each step. A failed step is an outcome, not an error. This
 * process checks a bucket. The agent of `remoteServerId` checks any other destination, and the space that it
 * measures is recorded. Throws an `UnavailableError` if that agent can't be reached.
 */
export async function checkDestination(
  services: ServiceContext,
  caller: Caller,
  id: number,
  remoteServerId: number | null,
): Promise<Omit<DestinationCheckResult, "space">> {
  const destination = await findBackupDestinationOf(services.database, caller.workspaceId, id);
  if (destination === undefined) throw new NotFoundError("Backup destination");
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
  const request = { kind: "destination.check", backup_destination_id: id } as const;
  const { space, ...checked } = await requestAgent(services, remoteServerId, request, AGENT_TIMEOUT);
  if (space !== undefined) {
    const place = { destinationId: id, serverId: remoteServerId };
    await transaction(services.database, (sql) => recordSpace(services, sql, place, space));
  }
  return checked;
}
