/**
 * Finds a server and makes sure that its agent is connected. For requests about the server itself, which only
 * the agent can answer.
 */
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import { isAgentConnected } from "../../store/agents/agent_requests.ts";
import { findRemoteServerOf, type RemoteServerRow } from "../../store/agents/remote_servers.ts";
import { REPLICA_TIMEOUT } from "../../store/installation/replicas.ts";
import type { Caller, ServiceContext } from "../context.ts";

/**
 * Returns a server of the caller's workspace whose agent is connected. Throws the errors of
 * {@link refuseUnconnected}.
 */
export async function findConnected(
  services: ServiceContext,
  caller: Caller,
  serverId: number,
  protocol: number,
): Promise<RemoteServerRow> {
  const server = await findRemoteServerOf(services.database, caller.workspaceId, serverId);
  if (server === undefined) throw new NotFoundError("Remote server");
  await refuseUnconnected(services, server, protocol);
  return server;
}

/**
 * Throws a {@link ConflictError} if the agent of a server is not connected, or if its protocol version is
 * older than `protocol`.
 */
export async function refuseUnconnected(
  { clock, database }: ServiceContext,
  { id, label, agent_protocol }: RemoteServerRow,
  protocol: number,
): Promise<void> {
  const liveSince = new Date(clock.now().getTime() - REPLICA_TIMEOUT);
  if (!(await isAgentConnected(database, id, liveSince))) {
    throw new ConflictError(
      `The agent of ${label} is not connected. Start it there, or check its log, and try again.`,
    );
  }
  if ((agent_protocol ?? 1) >= protocol) return;
  throw new ConflictError(`The agent of ${label} is too old for this. Update it there, and try again.`);
}
