/** Questions to agents: asked through the database, delivered by whichever replica holds the socket. */
import { UnavailableError } from "../domain/errors.ts";
import { destinationDirectory } from "../domain/location.ts";
import { type AgentRequest, DestinationCheckResult, DestinationDeleteResult } from "../protocol/messages.ts";
import {
  type AgentRequestRow,
  answerAgentRequest,
  claimAgentRequests,
  findAgentRequest,
  insertAgentRequest,
  isAgentConnected,
  type RequestPayload,
} from "../store/agent_requests.ts";
import { findBackupDestination } from "../store/backup_destinations.ts";
import { transaction } from "../store/database.ts";
import { notify } from "../store/notifications.ts";
import { REPLICA_TIMEOUT } from "../store/replicas.ts";
import type { Services } from "./context.ts";
import { jobDestination } from "./jobs.ts";

const RESULTS = {
  "destination.check": DestinationCheckResult,
  "destination.delete": DestinationDeleteResult,
};

type Result<P extends RequestPayload> = P["kind"] extends "destination.check" ? DestinationCheckResult
  : DestinationDeleteResult;

/**
 * Asks the agent of a server and waits for its answer. Throws an {@link UnavailableError} when the agent is not connected,
 * does not answer in time, or answers that it can't.
 *
 * @param timeoutMs Also how long the agent is given.
 */
export async function askAgent<P extends RequestPayload>(
  services: Services,
  serverId: number,
  payload: P,
  timeoutMs: number,
): Promise<Result<P>> {
  const { clock, database } = services;
  const id = await transaction(database, async (sql) => {
    const now = clock.now();
    if (!(await isAgentConnected(sql, serverId, new Date(now.getTime() - REPLICA_TIMEOUT)))) {
      throw new UnavailableError(
        "The server's agent is not connected. Start it there, or look at its log, and try again.",
      );
    }
    const inserted = await insertAgentRequest(
      sql,
      serverId,
      payload,
      new Date(now.getTime() + timeoutMs),
      now,
    );
    await notify(sql, { topic: "agent_request", id: inserted, remote_server_id: serverId });
    return inserted;
  });
  const row = await answered(services, id, timeoutMs);
  if (row === null) {
    throw new UnavailableError(
      `The server's agent did not answer within ${timeoutMs / 1000} seconds. Try again.`,
    );
  }
  if (row.state === "failed") throw new UnavailableError(row.error ?? "The server's agent could not do it.");
  return RESULTS[payload.kind].parse(row.result) as Result<P>;
}

/** The row once it is answered; null when time is up. A slow poll makes up for a lost notification. */
async function answered(services: Services, id: number, timeoutMs: number): Promise<AgentRequestRow | null> {
  const { bus, clock, database } = services;
  let wake = () => {};
  const unsubscribe = bus.subscribe((notification) => {
    if (notification.topic === "reconnected") wake();
    if (notification.topic === "agent_response" && notification.id === id) wake();
  });
  const until = clock.monotonic() + timeoutMs;
  try {
    while (true) {
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
    unsubscribe();
  }
}

export interface Delivery {
  requestId: string;
  remoteServerId: number;
  timeoutMs: number;
  request: AgentRequest;
}

/** Takes what waits for these servers, with the secrets that only the wire may carry. */
export async function claimDeliveries(services: Services, serverIds: readonly number[]): Promise<Delivery[]> {
  if (serverIds.length === 0) return [];
  const { clock, database } = services;
  return await transaction(database, async (sql) => {
    const now = clock.now();
    const deliveries: Delivery[] = [];
    for (const row of await claimAgentRequests(sql, serverIds, now)) {
      const destination = await findBackupDestination(sql, row.payload.backup_destination_id);
      if (destination === undefined) {
        await fail(services, row, "The backup destination is gone.");
        continue;
      }
      deliveries.push({
        requestId: String(row.id),
        remoteServerId: row.remote_server_id,
        timeoutMs: row.deadline_at.getTime() - now.getTime(),
        request: wireRequest(services, row.payload, destination),
      });
    }
    return deliveries;
  });
}

function wireRequest(
  services: Services,
  payload: RequestPayload,
  destination: NonNullable<Awaited<ReturnType<typeof findBackupDestination>>>,
): AgentRequest {
  if (payload.kind === "destination.check") {
    const directory = destinationDirectory(destination, null);
    return { kind: payload.kind, destination: jobDestination(destination, directory, services.keyring) };
  }
  return {
    kind: payload.kind,
    destination: jobDestination(destination, payload.directory, services.keyring),
    names: payload.names,
  };
}

/** Takes an agent's answer; one that nobody waits for, or from another server's agent, changes nothing. */
export async function answerRequest(
  services: Services,
  serverId: number,
  requestId: string,
  answer: { ok: true; result: unknown } | { ok: false; error: string },
): Promise<void> {
  const id = Number(requestId);
  if (!Number.isSafeInteger(id)) return;
  await transaction(services.database, async (sql) => {
    if (await answerAgentRequest(sql, id, serverId, answer, services.clock.now())) {
      await notify(sql, { topic: "agent_response", id });
    }
  });
}

function fail(services: Services, row: AgentRequestRow, error: string): Promise<void> {
  return answerRequest(services, row.remote_server_id, String(row.id), { ok: false, error });
}
