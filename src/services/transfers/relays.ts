/**
 * Relays a backup on one server's disk to a run of another server's agent. The control plane stores none of
 * the bytes.
 */
import { type ByteRange, type RequestedRange, resolveRange } from "../../domain/byte_range.ts";
import { ConflictError, NotFoundError, UnauthenticatedError } from "../../domain/errors.ts";
import { findBackupDestination } from "../../store/destinations/backup_destinations.ts";
import { type BackupLocation, findObjectOfRun } from "../../store/backups/backups.ts";
import { transaction } from "../../store/database/database.ts";
import { enforceSize, requestBytes } from "../agent_rpc/agent_bytes.ts";
import { connectedHolder, isElsewhere } from "../backups/backup_access.ts";
import type { ServiceContext } from "../context.ts";
import { authenticateAgent } from "../servers/enrolment.ts";
import { authorizeRun } from "../runs/run_authorization.ts";

/** Interval at which a transfer checks the agent's key and the run, in milliseconds. */
const CHECK_INTERVAL = 15_000;

export interface RelayInput {
  run_id: number;
  attempt: number;
  /** Name of an object of the backup that the run reads. */
  name: string;
}

export interface Relayed extends ByteRange {
  /** The current size of the object in bytes. */
  readonly size: number;
  /**
   * The bytes from `from` up to, but not including, `to`. Fails if the transfer breaks off, or if the run is
   * no longer allowed to read the backup.
   */
  readonly body: ReadableStream<Uint8Array>;
}

/** Why no bytes are sent: the object does not exist, or the range begins after its end. */
export type NotRelayed = { readonly outcome: "missing" } | {
  readonly outcome: "unsatisfiable";
  size: number;
};

/**
 * Relays bytes of an object on another server's disk. Throws:
 * - an {@link UnauthenticatedError} for an unknown key;
 * - a {@link NotFoundError} if the run belongs to another agent, or the object to another backup;
 * - a {@link ConflictError} if the run has ended or was dispatched again;
 * - a {@link ConflictError} if the other server can't read the object;
 * - an `UnavailableError` if the other server's agent is not connected.
 */
export async function relayObject(
  services: ServiceContext,
  agentKey: string,
  input: RelayInput,
  requested: RequestedRange | null,
): Promise<Relayed | NotRelayed> {
  const backup = await authorizeRead(services, agentKey, input);
  const holder = await connectedHolder(services, services.database, backup);
  const what = { type: "stored", name: input.name } as const;
  const sent = await requestBytes(services, holder.id, { backup, what, range: requested });
  if ("bytes" in sent) {
    const range = resolveRange(requested, sent.size) ?? { from: 0, to: 0 };
    const check = () => authorizeRead(services, agentKey, input);
    const body = enforceSize(withChecks(services, sent.bytes, check), range.to - range.from);
    return { size: sent.size, ...range, body };
  }
  switch (sent.outcome) {
    case "missing":
      return { outcome: "missing" };
    case "unsatisfiable":
      return { outcome: "unsatisfiable", size: sent.size };
    case "unreadable":
      throw new ConflictError(`The agent there says: ${sent.message}`);
    case "no_file":
      throw new Error("Cannot relay an object: the agent mistakes it for a file inside the backup");
  }
}

async function authorizeRead(
  services: ServiceContext,
  agentKey: string,
  input: RelayInput,
): Promise<BackupLocation> {
  const server = await authenticateAgent(services, agentKey);
  if (server === null) throw new UnauthenticatedError();
  return await transaction(services.database, async (sql) => {
    await authorizeRun(sql, server.id, input, "read a backup");
    const backup = await findObjectOfRun(sql, input.run_id, input.name);
    if (backup === undefined) throw new NotFoundError("Object");
    const destination = await findBackupDestination(sql, backup.backup_destination_id);
    if (destination === undefined || !isElsewhere(backup, destination, server.id)) {
      throw new ConflictError(`Cannot relay ${input.name}: the agent can reach it itself`);
    }
    return backup;
  });
}

/** Returns the stream, and ends it soon after the agent's key is revoked or the run ends. */
function withChecks(
  { clock }: ServiceContext,
  bytes: ReadableStream<Uint8Array>,
  check: () => Promise<unknown>,
): ReadableStream<Uint8Array> {
  let checkedAt = clock.monotonic();
  return bytes.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>(
      {
        async transform(chunk, controller) {
          if (clock.monotonic() - checkedAt >= CHECK_INTERVAL) {
            await check();
            checkedAt = clock.monotonic();
          }
          controller.enqueue(chunk);
        },
      },
      { highWaterMark: 1 },
      { highWaterMark: 0 },
    ),
  );
}
