/** Adds the control plane's own machine as a remote server, so that a first backup needs no other machine. */
import { ConflictError } from "../../domain/errors.ts";
import { findServerAt, firstAdministratorId } from "../../store/access/bootstrap.ts";
import type { ServiceContext } from "../context.ts";
import { internalCaller } from "../access/internal_caller.ts";
import { authenticateAgent, createEnrolmentToken } from "./enrolment.ts";
import { createRemoteServer } from "./remote_servers.ts";

const ADDRESS = "127.0.0.1";
const SSH_PORT = 22;
/**
 * Validity of the enrolment token, in seconds. The time is short, because the agent uses the token as soon as
 * it starts.
 */
const TOKEN_LIFE = 900;

/**
 * Returns the remote server of the local agent, and a single-use token to enrol the agent. The token is null
 * if the agent's key is valid. Creates the remote server if there is none. Its label is then the machine's
 * hostname, and its owner is the first administrator.
 *
 * Throws a {@link ConflictError} if another machine's agent is enrolled at 127.0.0.1. This happens if control
 * planes on two machines share a database. The tasks of one machine must not run on the other.
 */
export async function enrolLocalAgent(
  services: ServiceContext,
  { key, hostname }: { key: string | null; hostname: string },
): Promise<{ serverId: number; token: string | null }> {
  const known = key === null ? null : await authenticateAgent(services, key);
  if (known !== null) return { serverId: known.id, token: null };
  const userId = await firstAdministratorId(services.database);
  if (userId === null) {
    throw new ConflictError(
      "Cannot start the local agent: there is no administrator to own its server; set LOCAL_AGENT=0",
    );
  }
  const caller = await internalCaller(services, userId);
  const server = await findServerAt(services.database, caller.workspaceId, ADDRESS, SSH_PORT);
  if (server?.has_agent && server.agent_hostname !== hostname) {
    throw new ConflictError(
      `Cannot start the local agent: the remote server ${server.label} (${ADDRESS}) has the agent of ` +
        `${server.agent_hostname ?? "another host"}; revoke that agent, or set LOCAL_AGENT=0`,
    );
  }
  const { id } = server ??
    await createRemoteServer(services, caller, { label: hostname, ip_address: ADDRESS, port: SSH_PORT });
  return { serverId: id, token: (await createEnrolmentToken(services, caller, id, TOKEN_LIFE)).token };
}
