/** Previews a restore: makes the restore's own checks, and changes nothing. */
import {
  MAX_PREVIEWED,
  type RestorePreview,
  type RestorePreviewResult,
} from "../../../src/protocol/restore_preview.ts";
import { openDestination } from "../destinations/destinations.ts";
import { requestLimits } from "../destinations/limits.ts";
import { CollectedObstacles, type PreviewedRestore, UNKNOWN_AMOUNTS } from "../obstacles.ts";
import { type Destination, RunFailedError } from "../ports.ts";
import { PresignedDownloads } from "../presigned_downloads.ts";
import { Children } from "../programs/children.ts";
import { oneLine } from "../programs/line.ts";
import { type RequestEnvironment, requestPorts, Warnings } from "../request_ports.ts";
import type { PreviewContext } from "../restore_context.ts";
import { sourceTypeOf } from "../sources/registry.ts";
import { ReadProgress } from "./read_progress.ts";
import { StoredObjects } from "./stored_objects.ts";

/**
 * How long the agent keeps trying to reach the destination, in milliseconds. This is shorter than the
 * request's deadline, so that the agent can still report the reason of a failure.
 */
const DESTINATION_TIMEOUT = 15_000;
/** Maximum length of the response's JSON, in characters. The response must fit in one websocket frame. */
const MAX_RESPONSE = 900_000;

/** Returns what the restore would do, and everything that would fail it. */
export async function previewRestore(
  request: RestorePreview,
  environment: RequestEnvironment,
): Promise<RestorePreviewResult> {
  const { target } = request;
  const warnings = new Warnings();
  const inspection = new CollectedObstacles();
  const preview = sourceTypeOf(target)?.preview;
  if (preview === undefined) throw new RunFailedError("This agent can't restore such a backup. Update it.");
  const found = await withContext(
    request,
    environment,
    warnings,
    inspection,
    (context) => preview(target, context, inspection),
  );
  const result: RestorePreviewResult = {
    targets: found.targets.slice(0, MAX_PREVIEWED),
    targets_count: found.targets.length,
    server: found.server,
    requested: found.requested,
    free_bytes: found.freeBytes,
    obstacles: inspection.all.slice(0, MAX_PREVIEWED).map(({ path, problem, solution }) => ({
      path: path?.slice(0, 8192) ?? null,
      problem: oneLine(problem).slice(0, 4096),
      solution: solution.slice(0, 4096),
    })),
    obstacles_count: inspection.all.length,
    warnings: warnings.texts.slice(0, MAX_PREVIEWED).map((text) => oneLine(text).slice(0, 4096)),
  };
  if (JSON.stringify(result).length <= MAX_RESPONSE) return result;
  throw new RunFailedError("The names in this restore are too long for one response. Choose fewer paths.");
}

/** Opens the backup for reading. If the destination can't be reached, reports this as an obstacle. */
async function withContext(
  { backup, signed, target }: RestorePreview,
  environment: RequestEnvironment,
  output: Warnings,
  inspection: CollectedObstacles,
  work: (context: PreviewContext) => Promise<PreviewedRestore>,
): Promise<PreviewedRestore> {
  const { clock, signal } = environment;
  const downloads = new PresignedDownloads(signed);
  const ports = requestPorts(environment, output, downloads);
  await using children = new Children(clock, signal);
  const isElsewhere = backup.destination.type === "relay";
  if (isElsewhere) {
    output.warning(
      "The backup is on another server's disk. What is in it is compared with what is there only when the restore begins",
    );
  }
  const read = isElsewhere
    ? { ...backup, objects: backup.objects.filter(({ role }) => role === "archive") }
    : backup;
  let destination: Destination | null = null;
  try {
    const limits = requestLimits(DESTINATION_TIMEOUT);
    destination = await openDestination(backup.destination, {
      ...{ clock, signal, output: null, uploads: null, downloads, limits },
      relay: ports.relay,
    });
    const objects = new StoredObjects(read, destination, children);
    const job = { kind: "restore", task: null, backup: read, target, timeout_ms: null } as const;
    const progress = new ReadProgress(ports, objects);
    return await work({ job, ports, children, objects, progress, isElsewhere });
  } catch (error) {
    signal.throwIfAborted();
    inspection.end(error);
    return { targets: [], server: null, requested: UNKNOWN_AMOUNTS, freeBytes: null };
  } finally {
    await destination?.close();
  }
}
