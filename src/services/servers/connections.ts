/**
 * Records when agents connect and disconnect, and compares the runs that agents hold with the recorded runs.
 */
import { isFinal } from "../../domain/run.ts";
import type { AgentDescription, AgentMessage, Instruction } from "../../protocol/wire_messages.ts";
import { requeueSentRequests } from "../../store/agents/agent_requests.ts";
import {
  cancellingRuns,
  lockConnection,
  lockRunsOfAgent,
  markConnected,
  markDisconnected,
  markReplicaDisconnected,
  restoreConnections,
} from "../../store/agents/agent_connections.ts";
import { hastenRemovals } from "../../store/backups/backup_records.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { notify } from "../../store/database/event_bus.ts";
import { renewLeases, type RunRow } from "../../store/runs/runs.ts";
import { enterAudit, NO_ORIGIN, type Origin } from "../access/audit_log.ts";
import type { ServiceContext } from "../context.ts";
import { applyToRun } from "../runs/run_state.ts";

type HeldRun = Extract<AgentMessage, { type: "hello" }>["runs"][number];

/** The instruction to an agent about a run that the agent holds. */
export interface RunInstruction {
  run_id: number;
  attempt: number;
  instruction: Instruction;
  /** Sequence number of the newest stored event. */
  acknowledged: number;
}

export interface Connection {
  id: string;
  replicaId: string;
  remoteServerId: number;
}

export interface Greeting {
  protocol: number;
  description: AgentDescription;
  runs: readonly HeldRun[];
  /**
   * The agent's seat. It identifies the agent process. Null if the agent sends none. See `hello` in the
   * protocol.
   */
  seat?: string | null;
  /**
   * Id of the only connection that the new connection is allowed to replace. If null, the new connection must
   * not replace any connection. If missing, it is allowed to replace any connection.
   */
  replaces?: string | null;
  /**
   * Time at which this control plane began to accept connections. If an agent was working on a run, agents
   * with another seat are refused for the length of one lease after this time. So the working agent can
   * reconnect.
   */
  since?: Date;
}

/** Thrown if the agent's recorded connection is not the one in `Greeting.replaces`. */
export class OccupiedError extends Error {
  override readonly name = "OccupiedError";
}

/**
 * Records a connection, and returns an instruction for each run that the agent holds.
 *
 * Also handles each run that was dispatched to the agent but that the agent does not hold. If the run is
 * still leased, queues it again, because the dispatch never reached the agent. Otherwise ends the run,
 * because no verdict will come: the agent has lost its state directory.
 */
export async function connectAgent(
  services: ServiceContext,
  connection: Connection,
  greeting: Greeting,
  origin: Origin = NO_ORIGIN,
): Promise<RunInstruction[]> {
  return await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const { id, replicaId, remoteServerId } = connection;
    const { protocol, description, runs, seat = null, replaces } = greeting;
    const earlier = await lockConnection(sql, remoteServerId);
    if (replaces !== undefined && earlier.connection_id !== replaces) throw new OccupiedError();
    // Query in parallel, because thousands of agents may connect at once.
    const [, , hastened, rows] = await Promise.all([
      markConnected(sql, remoteServerId, { id, replicaId, protocol, description, seat }, now),
      requeueSentRequests(sql, [remoteServerId]),
      hastenRemovals(sql, remoteServerId, now),
      lockRunsOfAgent(sql, remoteServerId, runs.map((run) => run.run_id)),
      enterAudit(services, { ...auditFields(remoteServerId), result: "done", origin }, sql),
    ]);
    refuseForeignSeat(services, rows, earlier.agent_seat, greeting);
    if (typeof replaces === "string") await notify(sql, { topic: "agent_replaced", connection_id: replaces });
    if (hastened) await notify(sql, { topic: "removal_due" });
    const held = new Set(runs.map((run) => `${run.run_id} ${run.attempt}`));
    for (const run of rows) {
      if (!held.has(`${run.id} ${run.attempt}`)) await settleMissing(services, sql, run);
    }
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const { run_id, attempt } of runs) {
      const run = byId.get(run_id);
      // The agent accepted the run after the dispatch's deadline. The run must not be dispatched again.
      if (run?.state === "queued" && run.attempt === attempt) {
        await applyToRun(services, sql, run, { type: "accepted" }, { started_at: now });
      }
    }
    if (rows.length > 0) await renew(services, sql, [remoteServerId]);
    return runs.map((run) => instructionFor(run, byId.get(run.run_id)));
  });
}

/**
 * Refuses a new agent if its seat differs from the seat of the server's earlier agent, and the lease of a run
 * still lasts. The refusal is a {@link ForeignSeatError}. The earlier agent might be reconnecting to continue
 * the run. The new agent might be a copy of it. If the copy were admitted, the run would end.
 */
function refuseForeignSeat(
  { clock, runTimes }: ServiceContext,
  runs: readonly RunRow[],
  earlier: string | null,
  { seat, since }: Greeting,
): void {
  if (seat === undefined || seat === null || earlier === null || seat === earlier) return;
  const promised = (since?.getTime() ?? -Infinity) + runTimes.lease;
  const leases = runs.filter(({ state }) => state === "running" || state === "cancelling")
    .map((run) => Math.max(run.lease_expires_at?.getTime() ?? 0, promised));
  const left = Math.max(...leases) - clock.now().getTime();
  if (left <= 0) return;
  throw new ForeignSeatError(
    "Cannot connect this agent: an agent with the same key on another machine, or from before a reboot, " +
      `was working on a run moments ago. Try again in ${Math.ceil(left / 1000)} s.`,
  );
}

/** Thrown if an agent that connects might be a copy of the agent that works on an active run. */
export class ForeignSeatError extends Error {
  override readonly name = "ForeignSeatError";
}

/**
 * Records in the audit log that an agent with a valid key was refused, or was disconnected because its key
 * was revoked.
 */
export async function noteRefusedAgent(
  services: ServiceContext,
  { remoteServerId }: Connection,
  reason: string,
  origin: Origin,
): Promise<void> {
  await enterAudit(services, { ...auditFields(remoteServerId), result: "refused", reason, origin });
}

function auditFields(remoteServerId: number) {
  const actor = { type: "agent" as const, remoteServerId };
  return { actor, action: "connectAgent", resource: "remote-servers", resourceId: remoteServerId };
}

async function settleMissing(services: ServiceContext, sql: Sql, run: RunRow): Promise<void> {
  switch (run.state) {
    case "leased":
      // The dispatch never reached the agent, so the agent does not know the run.
      await applyToRun(services, sql, run, { type: "deadline_passed" });
      break;
    case "running":
      await applyToRun(services, sql, run, { type: "finished", outcome: "failed" }, {
        reason: "The agent no longer knows this run: its state directory was lost or replaced.",
      });
      break;
    case "cancelling":
      await applyToRun(services, sql, run, { type: "finished", outcome: "cancelled" });
      break;
  }
}

function instructionFor(held: HeldRun, run: RunRow | undefined): RunInstruction {
  const of = { run_id: held.run_id, attempt: held.attempt };
  if (run === undefined) return { ...of, instruction: "forget", acknowledged: held.last_sequence };
  if (run.attempt !== held.attempt) return { ...of, instruction: "cancel", acknowledged: 0 };
  const mayContinue = !isFinal(run.state) && run.state !== "cancelling";
  return {
    ...of,
    instruction: mayContinue || held.finished ? "continue" : "cancel",
    acknowledged: run.last_sequence,
  };
}

export async function disconnectAgent(services: ServiceContext, connection: Connection): Promise<void> {
  await transaction(services.database, async (sql) => {
    const { id, remoteServerId } = connection;
    if (await markDisconnected(sql, remoteServerId, id, services.clock.now())) {
      await requeueSentRequests(sql, [remoteServerId]);
    }
  });
}

/** Records that all websockets of a stopping replica are closed. */
export async function disconnectReplica(services: ServiceContext, replicaId: string): Promise<void> {
  await transaction(services.database, async (sql) => {
    const serverIds = await markReplicaDisconnected(sql, replicaId, services.clock.now());
    await requeueSentRequests(sql, serverIds);
  });
}

/**
 * Renews the leases of runs whose agents sent a message.
 *
 * @param connections The connections on which the messages came. All belong to one replica.
 */
export async function renewAgentLeases(
  services: ServiceContext,
  connections: readonly Connection[],
): Promise<void> {
  const [first] = connections;
  if (first === undefined) return;
  await restoreConnections(services.database, first.replicaId, connections);
  await renew(services, services.database, connections.map(({ remoteServerId }) => remoteServerId));
}

async function renew(services: ServiceContext, sql: Sql, serverIds: readonly number[]): Promise<void> {
  const { lease, grace } = services.runTimes;
  const now = services.clock.now().getTime();
  await renewLeases(sql, serverIds, new Date(now + lease), new Date(now + lease + grace));
}

/**
 * Returns the runs that the agents of these servers have to cancel. An agent might get the same cancellation
 * several times: at each connection, and at each notification.
 */
export async function runsToCancel(
  services: ServiceContext,
  serverIds: readonly number[],
): Promise<{ runId: number; attempt: number; remoteServerId: number; reason: string }[]> {
  if (serverIds.length === 0) return [];
  const rows = await cancellingRuns(services.database, serverIds);
  return rows.map((row) => ({
    runId: row.id,
    attempt: row.attempt,
    remoteServerId: row.remote_server_id,
    reason: row.reason ?? "Cancelled.",
  }));
}
