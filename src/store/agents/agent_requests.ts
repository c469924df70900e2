/** What services ask of agents, as rows: any replica may ask, the one that holds the socket delivers. */
import type { RequestedRange } from "../../domain/byte_range.ts";
import type { Sql } from "../database/sql.ts";

/** Names records, never secrets. */
export type RequestPayload = RequestContent & {
  /** It goes with a secret that is passed beside it. */
  needs_secret?: true;
};

type RequestContent =
  | { kind: "destination.check"; backup_destination_id: number }
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
    user_id: number;
    backup_id: number;
    path: string;
    offset: number;
    limit: number;
    search?: string;
  }
  | {
    kind: "backup.send";
    backup_destination_id: number;
    user_id: number;
    backup_id: number;
    what: { type: "object" | "stored"; name: string } | { type: "file"; path: string };
    range: RequestedRange | null;
    stream: string;
  };

export interface AgentRequestRow {
  id: number;
  remote_server_id: number;
  payload: RequestPayload;
  state: "waiting" | "sent" | "answered" | "failed";
  deadline_at: Date;
  /** Of one that failed: the {@link Refusal}, but for its error. */
  result: unknown;
  error: string | null;
}

/** What an agent tells where it could not do what it was asked. */
export interface Refusal {
  readonly ok: false;
  readonly error: string;
  /** How the backup that it was asked about is damaged, where it found that out. */
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

/** Takes what waits for these servers, to be sent now. */
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
    returning id, remote_server_id, payload, state, deadline_at, result, error`;
}

export async function findAgentRequest(sql: Sql, id: number): Promise<AgentRequestRow | null> {
  const [row] = await sql<AgentRequestRow[]>`
    select id, remote_server_id, payload, state, deadline_at, result, error from agent_requests where id = ${id}`;
  return row ?? null;
}

/** The agent's answer counts once, and only from the server that was asked. */
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

/** A socket that ended takes its unanswered questions back to the queue, for the next one. */
export async function requeueSentRequests(sql: Sql, serverIds: readonly number[]): Promise<void> {
  await sql`
    update agent_requests set state = 'waiting'
    where remote_server_id = any(${[...serverIds]}::bigint[]) and state = 'sent'`;
}

/** What was asked and answered is nobody's to look up later. */
export async function deleteAgentRequest(sql: Sql, id: number): Promise<void> {
  await sql`delete from agent_requests where id = ${id}`;
}

/** It is looked at again when it can be delivered. */
export async function requeueRequest(sql: Sql, id: number): Promise<void> {
  await sql`update agent_requests set state = 'waiting' where id = ${id} and state = 'sent'`;
}

export async function deleteOldAgentRequests(sql: Sql, before: Date): Promise<void> {
  await sql`delete from agent_requests where created_at < ${before} and deadline_at < ${before}`;
}

/**
 * The user's servers whose agents have a socket at a replica that is alive and speak at least this protocol.
 */
export async function connectedServersOf(
  sql: Sql,
  userId: number,
  protocol: number,
  heardSince: Date,
): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select s.id from remote_servers s join replicas r on r.id = s.connection_replica_id
    where s.user_id = ${userId} and s.connection_id is not null and r.heartbeat_at > ${heardSince}
      and s.agent_protocol >= ${protocol}
    order by s.id`;
  return rows.map(({ id }) => id);
}

/** Whether the server's agent has a socket at a replica that is alive. */
export async function isAgentConnected(sql: Sql, serverId: number, heardSince: Date): Promise<boolean> {
  const [row] = await sql<{ connected: boolean }[]>`
    select exists (
      select 1 from remote_servers s join replicas r on r.id = s.connection_replica_id
      where s.id = ${serverId} and s.connection_id is not null and r.heartbeat_at > ${heardSince}
    ) as connected`;
  return row!.connected;
}
