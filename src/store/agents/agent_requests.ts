/**
 * Requests to agents, stored as rows. Every replica can insert a request. The replica with the agent's
 * connection sends it.
 */
import type { RequestedRange } from "../../domain/byte_range.ts";
import type { StoredRestore } from "../../domain/restore.ts";
import { column, namesOf, type RowOf } from "../database/columns.ts";
import type { Sql } from "../database/sql.ts";

/** Content of a request. It contains ids of records, and never secrets. */
export type RequestPayload = RequestContent & {
  /** Set if the agent also needs a transient secret, which is sent separately. */
  needs_secret?: true;
};

type RequestContent =
  | { kind: "server.inventory"; remote_server_id: number }
  | {
    kind: "restore.preview";
    backup_destination_id: number;
    backup_id: number;
    workspace_id: number;
    backup_task_id: number | null;
    /** The server that would restore the backup. */
    remote_server_id: number;
    options: StoredRestore;
  }
  | {
    kind: "server.databases";
    remote_server_id: number;
    /** The task whose stored password is used; null for none. */
    backup_task_id: number | null;
    login: { engine: string | null; host: string | null; port: number | null; username: string | null };
    run_as: string | null;
  }
  | { kind: "server.browse"; path: string; offset: number; limit: number; search?: string }
  /**
   * If the id is null, the destination is not saved yet. The request's transient secret then contains the
   * destination.
   */
  | { kind: "destination.check"; backup_destination_id: number | null }
  | {
    kind: "destination.delete";
    backup_destination_id: number;
    directory: string;
    names: string[];
    witnesses: string[];
  }
  | {
    kind: "backup.browse";
    backup_destination_id: number;
    /**
     * The user to whom the backup belongs. A control plane of the previous version needs this id to find the
     * backup.
     */
    user_id: number;
    backup_id: number;
    path: string;
    offset: number;
    limit: number;
    search?: string;
  }
  | {
    kind: "backup.find";
    backup_destination_id: number;
    /** The ids of the backups to search, the newest first. */
    backup_ids: number[];
    pattern: string;
    limit: number;
    time_limit_ms: number;
  }
  | {
    kind: "backup.send";
    backup_destination_id: number;
    /**
     * The user to whom the backup belongs. A control plane of the previous version needs this id to find the
     * backup.
     */
    user_id: number;
    backup_id: number;
    what: { type: "object" | "stored"; name: string } | { type: "file"; path: string };
    range: RequestedRange | null;
    stream: string;
  };

const COLUMNS = {
  id: column<number>(),
  remote_server_id: column<number>(),
  payload: column<RequestPayload>(),
  state: column<"waiting" | "sent" | "answered" | "failed">(),
  deadline_at: column<Date>(),
  /**
   * Result of the request; null until the agent responds. After a failure, this is the {@link Refusal}
   * without the field `error`.
   */
  result: column<unknown>(),
  error: column<string | null>(),
};

export type AgentRequestRow = RowOf<typeof COLUMNS>;

const columns = namesOf(COLUMNS);

/** Response of an agent that could not do what was requested. */
export interface Refusal {
  readonly ok: false;
  readonly error: string;
  /** Damage that the agent found in the requested backup; absent if it found none. */
  readonly damage?: string;
}

export type AgentResponse = { readonly ok: true; readonly result: unknown } | Refusal;

export async function insertAgentRequest(
  sql: Sql,
  serverId: number,
  payload: RequestPayload,
  deadline: Date,
  now: Date,
): Promise<number> {
  const [row] = await sql<{ id: number }[]>`
    insert into agent_requests (remote_server_id, kind, payload, state, deadline_at, created_at)
    values (${serverId}, ${payload.kind}, ${sql.json(payload as never)}, 'waiting', ${deadline}, ${now})
    returning id`;
  return row!.id;
}

/** Claims the waiting requests for these servers and returns them. The caller must send them now. */
export function claimAgentRequests(
  sql: Sql,
  serverIds: readonly number[],
  now: Date,
): Promise<AgentRequestRow[]> {
  return sql<AgentRequestRow[]>`
    update agent_requests set state = 'sent'
    where id in (
      select id from agent_requests
      where state = 'waiting' and deadline_at > ${now} and remote_server_id = any(${[...serverIds]}::bigint[])
      order by id for update skip locked
    )
    returning ${sql(columns)}`;
}

export async function findAgentRequest(sql: Sql, id: number): Promise<AgentRequestRow | null> {
  const [row] = await sql<AgentRequestRow[]>`
    select ${sql(columns)} from agent_requests where id = ${id}`;
  return row ?? null;
}

/**
 * Records an agent's response. Returns false, and records nothing, if the request already has a response or
 * belongs to another server.
 */
export async function recordAgentResponse(
  sql: Sql,
  id: number,
  serverId: number,
  answer: AgentResponse,
  now: Date,
): Promise<boolean> {
  const result = answer.ok ? answer.result ?? null : { damage: answer.damage ?? null };
  const { count } = await sql`
    update agent_requests set
      state = ${answer.ok ? "answered" : "failed"},
      result = ${sql.json(result as never)},
      error = ${answer.ok ? null : answer.error},
      answered_at = ${now}
    where id = ${id} and remote_server_id = ${serverId} and state in ('waiting', 'sent')`;
  return count === 1;
}

/** Queues the unanswered requests to these servers again, after their connections were closed. */
export async function requeueSentRequests(sql: Sql, serverIds: readonly number[]): Promise<void> {
  await sql`
    update agent_requests set state = 'waiting'
    where remote_server_id = any(${[...serverIds]}::bigint[]) and state = 'sent'`;
}

export async function deleteAgentRequest(sql: Sql, id: number): Promise<void> {
  await sql`delete from agent_requests where id = ${id}`;
}

/** Queues a claimed request again, because it could not be sent. */
export async function requeueRequest(sql: Sql, id: number): Promise<void> {
  await sql`update agent_requests set state = 'waiting' where id = ${id} and state = 'sent'`;
}

export async function deleteOldAgentRequests(sql: Sql, before: Date): Promise<void> {
  await sql`delete from agent_requests where created_at < ${before} and deadline_at < ${before}`;
}

/**
 * Returns the ids of the workspace's servers whose agents are connected to a live replica and use protocol
 * version `protocol` or later.
 *
 * @param heardSince A replica is alive if its last heartbeat is later than this.
 */
export async function connectedServersOf(
  sql: Sql,
  workspaceId: number,
  protocol: number,
  heardSince: Date,
): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select s.id from remote_servers s join replicas r on r.id = s.connection_replica_id
    where s.workspace_id = ${workspaceId} and s.connection_id is not null and r.heartbeat_at > ${heardSince}
      and s.agent_protocol >= ${protocol}
    order by s.id`;
  return rows.map(({ id }) => id);
}

/**
 * Returns whether the server's agent is connected to a replica whose last heartbeat is later than
 * `heardSince`.
 */
export async function isAgentConnected(sql: Sql, serverId: number, heardSince: Date): Promise<boolean> {
  const [row] = await sql<{ connected: boolean }[]>`
    select exists (
      select 1 from remote_servers s join replicas r on r.id = s.connection_replica_id
      where s.id = ${serverId} and s.connection_id is not null and r.heartbeat_at > ${heardSince}
    ) as connected`;
  return row!.connected;
}
