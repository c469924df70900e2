/** Previews a restore of files. */
import { basename, join } from "node:path";
import type { FilesTarget } from "../../../src/definitions/sources/files.ts";
import type { PreviewedTarget } from "../../../src/protocol/restore_preview.ts";
import { exists } from "../exists.ts";
import type { CollectedObstacles, PreviewedRestore } from "../obstacles.ts";
import type { PreviewContext } from "../restore_context.ts";
import { planRestore, requestedAmounts, type RestorePlan, sourceOf, targetDirectory } from "./plan.ts";

/** Makes the checks of {@link planRestore}, and returns what would be restored where. */
export async function previewFiles(
  target: FilesTarget,
  context: PreviewContext,
  inspection: CollectedObstacles,
): Promise<PreviewedRestore> {
  // A preview cannot read the index of a backup on another server's disk. So it is unknown which files the
  // requested paths name, and the paths are not checked. The restore directory can still be checked.
  const planned = context.isElsewhere ? { ...target, paths: [] } : target;
  let plan: RestorePlan | null = null;
  try {
    plan = await planRestore(planned, context, inspection);
  } catch (error) {
    context.ports.signal.throwIfAborted();
    inspection.end(error);
  }
  return {
    targets: await targetsOf(target, plan, context),
    server: null,
    requested: requestedAmounts(plan?.contents ?? null),
    freeBytes: plan?.freeBytes ?? null,
  };
}

async function targetsOf(
  target: FilesTarget,
  plan: RestorePlan | null,
  context: PreviewContext,
): Promise<PreviewedTarget[]> {
  const source = sourceOf(context);
  const directory = plan?.directory.path ?? targetDirectory(target, context);
  const at = async (from: string, name: string): Promise<PreviewedTarget> => {
    const path = join(directory, name);
    const isOccupied = plan === null ? null : await exists(path).catch(() => null);
    const state = isOccupied === null ? null : isOccupied ? "occupied" : "missing";
    return { source: from, path, database_name: null, state };
  };
  if (target.paths.length > 0) return await Promise.all(target.paths.map((path) => at(path, path)));
  if (source?.kind === "file") return [await at(source.path, basename(source.path))];
  const state = plan?.directory.state ?? null;
  return [{ source: source?.path ?? "", path: directory, database_name: null, state }];
}
