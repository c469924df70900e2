/** Lists the databases of a server through its agent, so that a person can choose what to back up. */
import { isRestorable } from "../../definitions/sources/definition.ts";
import { DEFINITIONS } from "../../definitions/sources/registry.ts";
import { sourceValues } from "../../definitions/task_source_fields.ts";
import { InvalidError, NotFoundError } from "../../domain/errors.ts";
import type { LOGIN_PARTS, ServerDatabase } from "../../protocol/exploring.ts";
import { PROTOCOL_EXPLORE } from "../../protocol/version.ts";
import { findRemoteServerOf } from "../../store/agents/remote_servers.ts";
import { findBackupTaskOf } from "../../store/tasks/backup_tasks.ts";
import { requestAgent } from "../agent_rpc/agent_requests.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { refuseUnconnected } from "./connected_agent.ts";

/**
 * Time limit for the agent's response, in milliseconds. It is longer than the 30 seconds after which database
 * programs stop trying to connect.
 */
const AGENT_TIMEOUT = 60_000;

/**
 * The login at a database server. A missing value is taken from the task `backup_task_id`. If no task is
 * given, a default applies, such as the local socket.
 */
export interface DatabasesQuery {
  database_type?: string;
  database_host?: string;
  database_port?: number;
  database_username?: string;
  isolated_username?: string;
  /** A task of the same server, whose stored login is used. */
  backup_task_id?: number;
  /**
   * Never stored. If it is missing, the task's stored password is used. If the task has none for the host,
   * the remote server's stored password is used.
   */
  database_password?: string;
}

export interface FoundDatabases {
  readonly database_type: string;
  /** Description of the server and the login, for people. */
  readonly server: string;
  readonly databases: readonly ServerDatabase[];
}

/**
 * An agent can report which part of a login is wrong. For each part, this is the request's field with that
 * part.
 */
const FIELDS: Readonly<Record<typeof LOGIN_PARTS[number], keyof DatabasesQuery>> = {
  engine: "database_type",
  host: "database_host",
  username: "database_username",
  password: "database_password",
  run_as: "isolated_username",
};

/**
 * Returns the databases that a task with `*` would back up. Throws a `ConflictError` if the agent is not
 * connected or too old. If the login fails, throws an {@link InvalidError} that names the field to correct.
 */
export async function listServerDatabases(
  services: ServiceContext,
  caller: Caller,
  serverId: number,
  { database_password, backup_task_id, ...query }: DatabasesQuery,
): Promise<FoundDatabases> {
  const { database } = services;
  const server = await findRemoteServerOf(database, caller.workspaceId, serverId);
  if (server === undefined) throw new NotFoundError("Remote server");
  const task = backup_task_id === undefined
    ? undefined
    : await findBackupTaskOf(database, caller.workspaceId, backup_task_id);
  if (backup_task_id !== undefined && task?.remote_server_id !== serverId) {
    throw new InvalidError({
      backup_task_id: ["The selected backup task is invalid: it is not of this server."],
    });
  }
  const known = task && sourceValues(task);
  const engine = query.database_type ?? known?.database_type ?? null;
  refuseWithoutServer(engine);
  await refuseUnconnected(services, server, PROTOCOL_EXPLORE);
  const payload = {
    kind: "server.databases",
    remote_server_id: serverId,
    backup_task_id: backup_task_id ?? null,
    login: {
      engine,
      host: query.database_host ?? known?.database_host ?? null,
      port: query.database_port ?? known?.database_port ?? null,
      username: query.database_username ?? known?.database_username ?? null,
    },
    run_as: query.isolated_username ?? known?.isolated_username ?? null,
  } as const;
  const secret = database_password ?? null;
  const result = await requestAgent(services, serverId, payload, AGENT_TIMEOUT, { secret });
  if (result.outcome === "refused") {
    throw new InvalidError({ [FIELDS[result.part]]: [`${result.reason.replace(/\.$/, "")}.`] });
  }
  return { database_type: result.engine, server: result.server, databases: result.databases };
}

/** Throws an {@link InvalidError} if databases of this type belong to no database server. */
function refuseWithoutServer(engine: string | null): void {
  if (engine === null) return;
  const { restore, label } = DEFINITIONS.get(engine)!;
  if (isRestorable(restore) && restore.usesServer) return;
  throw new InvalidError({
    database_type: [`${label} are files, which no server lists. Look for them among the server's files.`],
  });
}
