/**
 * Requests to agents. Requests are queued in the database; the replica that holds an agent's websocket sends
 * them.
 */
import { ConflictError, DomainError, UnavailableError } from "../../domain/errors.ts";
import { WakeSignal } from "../../domain/wake_signal.ts";
import { BackupBrowseResult, BackupFindResult, BackupSendResult } from "../../protocol/browsing.ts";
import { RestorePreviewResult } from "../../protocol/restore_preview.ts";
import {
  ServerBrowseResult,
  ServerDatabasesResult,
  ServerInventoryResult,
} from "../../protocol/exploring.ts";
import {
  type AgentRequest,
  DestinationCheckResult,
  DestinationDeleteResult,
} from "../../protocol/wire_messages.ts";
import { SecretError } from "../../secrets/keyring.ts";
import {
  type AgentRequestRow,
  type AgentResponse,
  claimAgentRequests,
  deleteAgentRequest,
  findAgentRequest,
  insertAgentRequest,
  isAgentConnected,
  recordAgentResponse,
  type RequestPayload,
  requeueRequest,
} from "../../store/agents/agent_requests.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { notify } from "../../store/database/event_bus.ts";
import { REPLICA_TIMEOUT } from "../../store/installation/replicas.ts";
import type { ServiceContext } from "../context.ts";
import { buildWireRequest } from "./wire_requests.ts";

/**
 * Maximum time between two reads of a request's row, in milliseconds. It limits the delay after a lost
 * database notification.
 */
const SLOW_POLL = 2000;

const RESULTS = {
  "destination.check": DestinationCheckResult,
  "destination.delete": DestinationDeleteResult,
  "backup.browse": BackupBrowseResult,
  "backup.find": BackupFindResult,
  "backup.send": BackupSendResult,
  "restore.preview": RestorePreviewResult,
  "server.browse": ServerBrowseResult,
  "server.databases": ServerDatabasesResult,
  "server.inventory": ServerInventoryResult,
};

type Result<P extends RequestPayload> = ReturnType<typeof RESULTS[P["kind"]]["parse"]>;

/** Thrown if a request changed nothing: it was not sent, or the agent reported an error. */
export class NothingDoneError extends UnavailableError {}

/** Thrown if the agent reports that the backup in the request is damaged. `damage` says what is damaged. */
export class DamageFoundError extends ConflictError {
  constructor(message: string, readonly damage: string) {
    super(message);
  }
}

export interface RequestOptions {
  /** A transient secret for the request: it is sent to the agent and never stored. */
  secret?: string | null;
  /** Ends the wait for the response; {@link requestAgent} then rejects with the signal's reason. */
  signal?: AbortSignal | null;
}

/**
 * Sends a request to the agent of a server and returns its result. Throws:
 * - a {@link NothingDoneError} if the agent is not connected or reports an error;
 * - a {@link DamageFoundError} if the agent reports a damaged backup;
 * - an {@link UnavailableError} if the response is late or invalid.
 *
 * @param timeoutMs Time limit in milliseconds. The agent gets this limit too.
 */
export async function requestAgent<P extends RequestPayload>(
  services: ServiceContext,
  serverId: number,
  payload: P,
  timeoutMs: number,
  { secret = null, signal = null }: RequestOptions = {},
): Promise<Result<P>> {
  const { clock, database } = services;
  const id = await transaction(database, async (sql) => {
    const now = clock.now();
    if (!(await isAgentConnected(sql, serverId, new Date(now.getTime() - REPLICA_TIMEOUT)))) {
      throw new NothingDoneError(
        "The server's agent is not connected. Start it there, or check its log, and try again.",
      );
    }
    const deadline = new Date(now.getTime() + timeoutMs);
    const inserted = await insertAgentRequest(
      sql,
      serverId,
      secret === null ? payload : { ...payload, needs_secret: true },
      deadline,
      now,
    );
    if (secret !== null) {
      await services.transientSecrets.publish(sql, `request ${inserted}`, secret, deadline);
    }
    await notify(sql, { topic: "agent_request", id: inserted, remote_server_id: serverId });
    return inserted;
  });
  const row = await awaitResponse(services, id, timeoutMs, signal).finally(async () => {
    if (!isKept(payload)) await deleteAgentRequest(database, id);
  });
  if (row === null) {
    throw new UnavailableError(
      `The server's agent did not answer within ${timeoutMs / 1000} seconds. Try again.`,
    );
  }
  if (row.state === "failed") throw toError(row);
  const result = RESULTS[payload.kind].safeParse(row.result);
  if (result.success) return result.data as Result<P>;
  throw new UnavailableError(
    "The server's agent sent an invalid response. Update it, and try again.",
  );
}

function toError({ error, result }: AgentRequestRow): DomainError {
  const message = error ?? "The server's agent failed without a reason.";
  const { damage } = (result ?? {}) as { damage?: string | null };
  return typeof damage === "string" ? new DamageFoundError(message, damage) : new NothingDoneError(message);
}

/** Requests whose responses contain names of files or databases. */
const LISTINGS: readonly RequestPayload["kind"][] = [
  "backup.browse",
  "backup.find",
  "restore.preview",
  "server.browse",
  "server.databases",
  "server.inventory",
];

/**
 * Returns whether a request's row is kept after the response. Listings are not kept, because they contain
 * file names. Requests for stored objects are not kept, because a run that reads a backup sends hundreds of
 * them. Checks of unsaved destinations are not kept, because nothing of these destinations is stored.
 */
function isKept(payload: RequestPayload): boolean {
  if (payload.kind === "destination.check") return payload.backup_destination_id !== null;
  if (LISTINGS.includes(payload.kind)) return false;
  return payload.kind !== "backup.send" || payload.what.type !== "stored";
}

/**
 * Waits for the response to a request and returns the request's row; null on timeout. Also polls the row,
 * because a database notification might be lost.
 */
async function awaitResponse(
  services: ServiceContext,
  id: number,
  timeoutMs: number,
  signal: AbortSignal | null,
): Promise<AgentRequestRow | null> {
  const { bus, clock, database } = services;
  const answered = new WakeSignal(clock);
  const unsubscribe = bus.subscribe((notification) => {
    if (notification.topic === "reconnected") answered.wake();
    if (notification.topic === "agent_response" && notification.id === id) answered.wake();
  });
  const until = clock.monotonic() + timeoutMs;
  try {
    while (true) {
      signal?.throwIfAborted();
      answered.reset();
      const row = await findAgentRequest(database, id);
      if (row === null || row.state === "answered" || row.state === "failed") return row;
      const left = until - clock.monotonic();
      if (left <= 0) return null;
      await answered.wait(Math.min(left, SLOW_POLL), signal);
    }
  } finally {
    unsubscribe();
  }
}

export type { AgentResponse };

export interface OutgoingRequest {
  requestId: string;
  remoteServerId: number;
  timeoutMs: number;
  request: AgentRequest;
}

/** Claims the pending requests to these servers, adds their transient secrets, and returns them. */
export async function claimPendingRequests(
  services: ServiceContext,
  serverIds: readonly number[],
): Promise<OutgoingRequest[]> {
  if (serverIds.length === 0) return [];
  const { clock, database } = services;
  return await transaction(database, async (sql) => {
    const now = clock.now();
    const requests: OutgoingRequest[] = [];
    for (const row of await claimAgentRequests(sql, serverIds, now)) {
      const request = await buildRequest(services, sql, row, now);
      if (request === null) continue;
      requests.push({
        requestId: String(row.id),
        remoteServerId: row.remote_server_id,
        timeoutMs: row.deadline_at.getTime() - now.getTime(),
        request,
      });
    }
    return requests;
  });
}

/**
 * Builds the wire form of a request. Returns null if the request can't be sent now: it has failed, or its
 * secret has not arrived yet.
 */
async function buildRequest(
  services: ServiceContext,
  sql: Sql,
  row: AgentRequestRow,
  now: Date,
): Promise<AgentRequest | null> {
  try {
    let secret: string | null = null;
    if (row.payload.needs_secret === true) {
      const transient = await services.transientSecrets.get(sql, `request ${row.id}`);
      if (transient.state === "requested") {
        await requeueRequest(sql, row.id);
        return null;
      }
      if (transient.state === "gone") {
        throw new UnavailableError(
          "The secret of the request is no longer available. Send the request again.",
        );
      }
      secret = transient.secret;
    }
    return await buildWireRequest(services, sql, row.payload, secret);
  } catch (error) {
    if (!(error instanceof DomainError || error instanceof SecretError)) throw error;
    await settle(sql, row.id, row.remote_server_id, { ok: false, error: error.message }, now);
    return null;
  }
}

/**
 * Records an agent's response. Ignores it if nobody waits for it, or if the request went to another server.
 */
export async function recordResponse(
  services: ServiceContext,
  serverId: number,
  requestId: string,
  response: AgentResponse,
): Promise<void> {
  const id = Number(requestId);
  if (!Number.isSafeInteger(id)) return;
  await transaction(services.database, async (sql) => {
    await settle(sql, id, serverId, response, services.clock.now());
  });
}

async function settle(
  sql: Sql,
  id: number,
  serverId: number,
  response: AgentResponse,
  now: Date,
): Promise<void> {
  if (await recordAgentResponse(sql, id, serverId, response, now)) {
    await notify(sql, { topic: "agent_response", id });
  }
}
