/** Finds the server whose agent a caller asks about the server itself. */
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import { isAgentConnected } from "../../store/agents/agent_requests.ts";
import { findRemoteServerOf, type RemoteServerRow } from "../../store/agents/remote_servers.ts";
import type { Sql } from "../../store/database/sql.ts";
import { REPLICA_TIMEOUT } from "../../store/installation/replicas.ts";
import type { Caller, ServiceContext } from "../context.ts";

/**
 * Returns a server of the caller's workspace whose agent is connected. Throws a {@link ConflictError} if the
 * agent is not connected or its protocol version is older than `protocol`.
 */
export async function findConnected(
  services: ServiceContext,
  sql: Sql,
  caller: Caller,
  serverId: number,
  protocol: number,
): Promise<RemoteServerRow> {
  const server = await findRemoteServerOf(sql, caller.workspaceId, serverId);
  if (server === undefined) throw new NotFoundError("Remote server");
  const liveSince = new Date(services.clock.now().getTime() - REPLICA_TIMEOUT);
  if (!(await isAgentConnected(sql, serverId, liveSince))) {
    throw new ConflictError(
      `The agent of ${server.label} is not connected. Start it there, or check its log, and try again.`,
    );
  }
  if ((server.agent_protocol ?? 1) >= protocol) return server;
  throw new ConflictError(
    `The agent of ${server.label} is too old for this. Update it there, and try again.`,
  );
}
