/** Chooses the password with which an agent lists the databases of a server. */
import { sourceValues } from "../../definitions/task_source_fields.ts";
import { isThisMachine } from "../../domain/database/database_server.ts";
import type { ServerDatabases } from "../../protocol/exploring.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import type { RequestPayload } from "../../store/agents/agent_requests.ts";
import { findRemoteServer } from "../../store/agents/remote_servers.ts";
import type { Sql } from "../../store/database/sql.ts";
import { type BackupTaskRow, findBackupTask } from "../../store/tasks/backup_tasks.ts";

/**
 * Builds the wire form of a request for databases. The password is the first of these that is set: the
 * caller's, the task's, the remote server's. The task's password is sent only to the task's own database host
 * or to the agent's machine, so that nobody can direct it to another host.
 */
export async function databasesRequest(
  sql: Sql,
  { kind, login, run_as, ...ids }: Extract<RequestPayload, { kind: "server.databases" }>,
  secret: string | null,
  keyring: Keyring,
): Promise<ServerDatabases> {
  const server = await findRemoteServer(sql, ids.remote_server_id);
  const task = ids.backup_task_id === null ? undefined : await findBackupTask(sql, ids.backup_task_id);
  const stored = taskPassword(task, login.host) ?? server?.database_password_encrypted ?? null;
  return { kind, login: { ...login, password: secret ?? keyring.decryptOptional(stored) }, run_as };
}

function taskPassword(task: BackupTaskRow | undefined, host: string | null): string | null {
  if (task === undefined) return null;
  const { database_host, database_password } = sourceValues(task);
  return isThisMachine(host) || host === database_host ? database_password : null;
}
