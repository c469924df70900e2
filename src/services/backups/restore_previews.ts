/** Previews restores: an agent finds out what would be in the way, and changes nothing. */
import { definitionOfEngine } from "../../definitions/sources/registry.ts";
import type { RestorePreviewResult } from "../../protocol/restore_preview.ts";
import { PROTOCOL_EXPLORE } from "../../protocol/version.ts";
import { requestAgent } from "../agent_rpc/agent_requests.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { findConnected } from "../servers/connected_agent.ts";
import { findReadable } from "./backup_access.ts";
import { checkRestore, type RestoreInput } from "./restores.ts";

/**
 * Time limit for the agent's response, in milliseconds. The agent reads the backup's index before it
 * responds.
 */
const AGENT_TIMEOUT = 60_000;

export interface PreviewedRestore extends RestorePreviewResult {
  readonly remote_server: { readonly id: number; readonly label: string };
  /** Whether the agent found no obstacle to the restore. */
  readonly type: string;
  /** True if the preview found no obstacle. */
  readonly is_possible: boolean;
}

/**
 * Returns what a restore would do, and why it would fail. Throws the errors of `startRestore`. Also throws a
 * `ConflictError` if the server's agent is too old or is not connected.
 */
export async function previewRestore(
  services: ServiceContext,
  caller: Caller,
  backupId: number,
  input: RestoreInput,
): Promise<PreviewedRestore> {
  const { database } = services;
  const { backup } = await findReadable(database, caller, backupId);
  const { serverId, options, key } = await checkRestore(services, database, caller, backup, input);
  const server = await findConnected(services, caller, serverId, PROTOCOL_EXPLORE);
  const payload = {
    kind: "restore.preview",
    backup_destination_id: backup.backup_destination_id,
    backup_id: backupId,
    workspace_id: backup.workspace_id,
    backup_task_id: backup.backup_task_id,
    remote_server_id: serverId,
    options,
  } as const;
  const found = await requestAgent(services, serverId, payload, AGENT_TIMEOUT, { secret: key });
  return {
    ...found,
    remote_server: { id: serverId, label: server.label },
    type: definitionOfEngine(backup.engine).taskType,
    is_possible: found.obstacles_count === 0,
  };
}
