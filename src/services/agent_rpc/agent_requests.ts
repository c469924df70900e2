/** Questions to agents: asked through the database, delivered by whichever replica holds the socket. */
import { ConflictError, DomainError, UnavailableError } from "../../domain/errors.ts";
import { BackupBrowseResult, BackupSendResult } from "../../protocol/browsing.ts";
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
import { wireRequest } from "./wire_requests.ts";

const RESULTS = {
  "destination.check": DestinationCheckResult,
  "destination.delete": DestinationDeleteResult,
  "backup.browse": BackupBrowseResult,
  "backup.send": BackupSendResult,
};

type Result<P extends RequestPayload> = ReturnType<typeof RESULTS[P["kind"]]["parse"]>;

/** The agent was not asked, or answered that it can't: it did nothing of what was asked. */
export class NothingDoneError extends UnavailableError {}

/** An agent found the backup that it was asked about to be damaged. */
export class DamageFoundError extends ConflictError {
  constructor(message: string, readonly damage: string) {
    super(message);
  }
}

/**
 * Asks the agent of a server and waits for its answer. Throws a {@link NothingDoneError} when the agent is
 * not connected or answers that it can't or what nobody can read, another {@link UnavailableError} when it
 * does not answer in time; a {@link DamageFoundError} where a damaged backup is why.
 *
 * @param timeoutMs Also how long the agent is given.
 * @param secret Goes with it, and is stored nowhere.
 * @param over Ends the waiting: rejects with its reason.
 */
export async function requestAgent<P extends RequestPayload>(
  services: ServiceContext,
  serverId: number,
  payload: P,
  timeoutMs: number,
  secret: string | null = null,
  over: AbortSignal | null = null,
): Promise<Result<P>> {
  const { clock, database } = services;
  const id = await transaction(database, async (sql) => {
    const now = clock.now();
    if (!(await isAgentConnected(sql, serverId, new Date(now.getTime() - REPLICA_TIMEOUT)))) {
      throw new NothingDoneError(
        "The server's agent is not connected. Start it there, or look at its log, and try again.",
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
  const row = await awaitResponse(services, id, timeoutMs, over).finally(async () => {
    if (!isKept(payload)) await deleteAgentRequest(database, id);
  });
  if (row === null) {
    throw new UnavailableError(
      `The server's agent did not answer within ${timeoutMs / 1000} seconds. Try again.`,
    );
  }
  if (row.state === "failed") throw refusalOf(row);
  const result = RESULTS[payload.kind].safeParse(row.result);
  if (result.success) return result.data as Result<P>;
  throw new UnavailableError(
    "The server's agent gave an answer that can't be read. Update it, and try again.",
  );
}

function refusalOf({ error, result }: AgentRequestRow): DomainError {
  const told = error ?? "The server's agent could not do it.";
  const { damage } = (result ?? {}) as { damage?: string | null };
  return typeof damage === "string" ? new DamageFoundError(told, damage) : new NothingDoneError(told);
}

/**
 * Names of files are told to those who ask, and not kept. A run that reads a backup asks for hundreds of its
 * pieces.
 */
function isKept(payload: RequestPayload): boolean {
  if (payload.kind === "backup.browse") return false;
  return payload.kind !== "backup.send" || payload.what.type !== "stored";
}

/** The row once it is answered; null when time is up. A slow poll makes up for a lost notification. */
async function awaitResponse(
  services: ServiceContext,
  id: number,
  timeoutMs: number,
  signal: AbortSignal | null,
): Promise<AgentRequestRow | null> {
  const { bus, clock, database } = services;
  let wake = () => {};
  const unsubscribe = bus.subscribe((notification) => {
    if (notification.topic === "reconnected") wake();
    if (notification.topic === "agent_response" && notification.id === id) wake();
  });
  const until = clock.monotonic() + timeoutMs;
  const leave = () => wake();
  signal?.addEventListener("abort", leave);
  try {
    while (true) {
      signal?.throwIfAborted();
      const woken = new Promise<void>((resolve) => wake = resolve);
      const row = await findAgentRequest(database, id);
      if (row === null || row.state === "answered" || row.state === "failed") return row;
      const left = until - clock.monotonic();
      if (left <= 0) return null;
      const over = new AbortController();
      await Promise.race([woken, clock.sleep(Math.min(left, 2000), over.signal).catch(() => {})]);
      over.abort();
    }
  } finally {
    signal?.removeEventListener("abort", leave);
    unsubscribe();
  }
}

export type { AgentResponse as AgentAnswer };

export interface OutgoingRequest {
  requestId: string;
  remoteServerId: number;
  timeoutMs: number;
  request: AgentRequest;
}

/** Takes what waits for these servers, with the secrets that only the wire may carry. */
export async function claimPendingRequests(
  services: ServiceContext,
  serverIds: readonly number[],
): Promise<OutgoingRequest[]> {
  if (serverIds.length === 0) return [];
  const { clock, database } = services;
  return await transaction(database, async (sql) => {
    const now = clock.now();
    const deliveries: OutgoingRequest[] = [];
    for (const row of await claimAgentRequests(sql, serverIds, now)) {
      const request = await buildRequest(services, sql, row, now);
      if (request === null) continue;
      deliveries.push({
        requestId: String(row.id),
        remoteServerId: row.remote_server_id,
        timeoutMs: row.deadline_at.getTime() - now.getTime(),
        request,
      });
    }
    return deliveries;
  });
}

/** Null where it is not to be sent: it has failed, or waits for its secret. */
async function buildRequest(
  services: ServiceContext,
  sql: Sql,
  row: AgentRequestRow,
  now: Date,
): Promise<AgentRequest | null> {
  try {
    let secret: string | null = null;
    if (row.payload.needs_secret === true) {
      const passed = await services.transientSecrets.get(sql, `request ${row.id}`);
      if (passed.state === "asked") {
        await requeueRequest(sql, row.id);
        return null;
      }
      if (passed.state === "gone") throw new UnavailableError("The identity is gone. Ask again.");
      secret = passed.secret;
    }
    return await wireRequest(services, sql, row.payload, secret);
  } catch (error) {
    if (!(error instanceof DomainError || error instanceof SecretError)) throw error;
    await settle(sql, row.id, row.remote_server_id, { ok: false, error: error.message }, now);
    return null;
  }
}

/** Takes an agent's answer; one that nobody waits for, or from another server's agent, changes nothing. */
export async function recordResponse(
  services: ServiceContext,
  serverId: number,
  requestId: string,
  answer: AgentResponse,
): Promise<void> {
  const id = Number(requestId);
  if (!Number.isSafeInteger(id)) return;
  await transaction(services.database, async (sql) => {
    await settle(sql, id, serverId, answer, services.clock.now());
  });
}

async function settle(
  sql: Sql,
  id: number,
  serverId: number,
  answer: AgentResponse,
  now: Date,
): Promise<void> {
  if (await recordAgentResponse(sql, id, serverId, answer, now)) {
    await notify(sql, { topic: "agent_response", id });
  }
}
