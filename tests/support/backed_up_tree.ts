/** A control plane with its agent, and a tree that is backed up to wherever a test wants it. */
import assert from "node:assert/strict";
import { shell } from "./backup_run.ts";
import { type ControlPlane, startControlPlane } from "./control_plane.ts";

export interface BackedUpTree {
  readonly plane: ControlPlane;
  /** A temporary directory. */
  readonly root: string;
  /** What is backed up: empty at first. */
  readonly tree: string;
}

export async function stageTree(stack: AsyncDisposableStack): Promise<BackedUpTree> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-tree-" });
  stack.defer(async () => void await shell('chmod -R u+rwx "$1"; rm -rf "$1"', root));
  const tree = `${root}/tree`;
  await Deno.mkdir(tree);
  return { plane: stack.use(await startControlPlane()), root, tree };
}

/** Returns the backup's id. */
export async function backUpTree(
  { plane: { api, serverId }, tree }: BackedUpTree,
  destinationId: number,
  fields: Record<string, unknown> = {},
): Promise<number> {
  const taskId = await api.create("/backup-tasks", {
    remote_server_id: serverId,
    backup_destination_id: destinationId,
    label: "a tree",
    type: "files",
    source_path: tree,
    frequency: "daily",
    time_to_run_at: "01:00",
    ...fields,
  });
  const log = await api.run(taskId);
  assert.equal(log.status, "successful", log.output);
  const { body } = await api.call("GET", `/backup-tasks/${taskId}/backups`);
  return body.data[0].id;
}

export function localPlace({ plane, root }: BackedUpTree): Promise<number> {
  return plane.api.create("/backup-destinations", {
    label: "here",
    type: "local",
    local_path: `${root}/backups`,
  });
}
