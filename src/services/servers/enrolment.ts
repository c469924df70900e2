/** Enrols agents: exchanges a server's single-use token for an agent key. */
import { createHash, randomBytes } from "node:crypto";
import { NotFoundError, UnauthenticatedError } from "../../domain/errors.ts";
import type { AgentDescription } from "../../protocol/wire_messages.ts";
import { recordActor } from "../../store/access/audited_request.ts";
import { transaction } from "../../store/database/database.ts";
import {
  consumeEnrolmentToken,
  deleteEnrolmentTokens,
  deleteSpentEnrolmentTokens,
  insertEnrolmentToken,
} from "../../store/agents/enrolment_tokens.ts";
import { notify } from "../../store/database/event_bus.ts";
import {
  clearAgentKey,
  findRemoteServer,
  findRemoteServerByAgentKey,
  lockRemoteServer,
  type RemoteServerRow,
  storeAgentKey,
} from "../../store/agents/remote_servers.ts";
import type { Caller, ServiceContext } from "../context.ts";

export type { RemoteServerRow };

/** Prefixes of tokens and keys, by which people and secret scanners recognize them. */
const TOKEN_PREFIX = "rge_";
const KEY_PREFIX = "rga_";

/**
 * Creates a token with which one agent of this server can enrol once, within `expiresIn` seconds. Only the
 * token's hash is stored.
 */
export async function createEnrolmentToken(
  services: ServiceContext,
  caller: Caller,
  remoteServerId: number,
  expiresIn: number,
): Promise<{ token: string; expiresAt: Date }> {
  return await transaction(services.database, async (sql) => {
    const server = await lockRemoteServer(sql, caller.workspaceId, remoteServerId);
    if (server === undefined) throw new NotFoundError("Remote server");
    const now = services.clock.now();
    const token = newSecret(TOKEN_PREFIX);
    const expiresAt = new Date(now.getTime() + expiresIn * 1000);
    await deleteSpentEnrolmentTokens(sql, server.id, now);
    await insertEnrolmentToken(sql, server.id, hash(token), expiresAt, now);
    return { token, expiresAt };
  });
}

/**
 * Exchanges a token for a new key of its server's agent. The server's previous key becomes invalid. Throws an
 * {@link UnauthenticatedError} if the token is unknown, expired or used.
 */
export async function enrolAgent(
  services: ServiceContext,
  plainToken: string,
  description: AgentDescription,
): Promise<{ agentKey: string; remoteServer: RemoteServerRow }> {
  return await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const serverId = await consumeEnrolmentToken(sql, hash(plainToken), now);
    if (serverId === null) {
      throw new UnauthenticatedError(
        "Cannot enrol the agent: the enrolment token is unknown, expired or already used. " +
          "Make a new one for this remote server.",
      );
    }
    const agentKey = newSecret(KEY_PREFIX);
    const { replaced } = await storeAgentKey(sql, serverId, hash(agentKey), description, now);
    if (replaced) await notify(sql, { topic: "agent_revoked", remote_server_id: serverId });
    recordActor({ type: "agent", remoteServerId: serverId }, "remote-servers", serverId);
    return { agentKey, remoteServer: (await findRemoteServer(sql, serverId))! };
  });
}

/** Returns the server whose agent has `key`; null if the key is unknown or revoked. */
export async function authenticateAgent(
  services: ServiceContext,
  key: string,
): Promise<RemoteServerRow | null> {
  return await findRemoteServerByAgentKey(services.database, hash(key)) ?? null;
}

/**
 * Revokes the agent's key, closes its websocket and deletes the server's unused tokens. Repeated calls change
 * nothing.
 */
export async function revokeAgent(
  services: ServiceContext,
  caller: Caller,
  remoteServerId: number,
): Promise<void> {
  await transaction(services.database, async (sql) => {
    const server = await lockRemoteServer(sql, caller.workspaceId, remoteServerId);
    if (server === undefined) throw new NotFoundError("Remote server");
    await deleteEnrolmentTokens(sql, server.id);
    await clearAgentKey(sql, server.id, services.clock.now());
    await notify(sql, { topic: "agent_revoked", remote_server_id: server.id });
  });
}

/** Returns a secret of 256 random bits. Nobody can guess it, so a plain hash protects it well enough. */
function newSecret(prefix: string): string {
  return prefix + randomBytes(32).toString("base64url");
}

function hash(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
