/** Opens and checks destinations of every type, and removes objects from them. */
import type { Clock } from "../../../src/domain/clock.ts";
import type { JobDestination, ReadDestination } from "../../../src/protocol/job.ts";
import type { DestinationCheckResult, DestinationDeleteResult } from "../../../src/protocol/wire_messages.ts";
import { type Destination, ObjectMissingError, RunFailedError } from "../ports.ts";
import type { DestinationPorts } from "./destination_type.ts";
import { type DestinationLimits, requestLimits } from "./limits.ts";
import { destinationType } from "./registry.ts";

/**
 * Time for which a removal retries a lost connection, in milliseconds. After a failure the control plane
 * tries again later.
 */
const REMOVAL_PATIENCE = 15_000;

/**
 * Opens and returns a destination. The caller must close it. Rejects with a `RunFailedError` if the
 * destination can't be reached.
 */
export async function openDestination(spec: ReadDestination, ports: DestinationPorts): Promise<Destination> {
  return await destinationType(spec).open(spec, ports);
}

export function checkDestination(
  spec: JobDestination,
  clock: Clock,
  signal: AbortSignal,
): Promise<DestinationCheckResult> {
  const { check } = destinationType(spec);
  if (check === undefined) {
    throw new RunFailedError(
      `Cannot check a destination of type ${spec.type} here: the control plane does it`,
    );
  }
  // Do not retry: a check should report the problem at once.
  return check(spec, requestPorts(clock, signal, requestLimits(0)));
}

/**
 * Removes objects and their partial files. Returns the deleted objects, and the objects that could not be
 * deleted. If one removal fails, the other objects are still removed. Rejects with a `RunFailedError` if the
 * destination can't be reached or does not exist.
 *
 * A missing object counts as deleted only if the destination is proven to be the right one. It is proven if
 * one of the objects in `names` could be deleted, or if one of the objects in `witnesses` exists. If
 * `witnesses` is empty, no proof is needed.
 */
export async function removeFromDestination(
  spec: JobDestination,
  { names, witnesses = [] }: { names: readonly string[]; witnesses?: readonly string[] },
  clock: Clock,
  signal: AbortSignal,
): Promise<DestinationDeleteResult> {
  const destination = await openDestination(
    spec,
    requestPorts(clock, signal, requestLimits(REMOVAL_PATIENCE)),
  );
  const result: DestinationDeleteResult = { deleted: [], failed: [] };
  const missing: string[] = [];
  try {
    await destination.findLocation();
    for (const name of names) {
      try {
        signal.throwIfAborted();
        if (await destination.remove(name)) result.deleted.push(name);
        else missing.push(name);
      } catch (error) {
        result.failed.push({ name, message: (error as Error).message });
      }
    }
    const isProven = result.deleted.length > 0 || missing.length === 0 ||
      await isWitnessed(destination, witnesses);
    if (isProven) result.deleted.push(...missing);
    else result.failed.push(...missing.map((name) => ({ name, message: unproven(destination, witnesses) })));
    return result;
  } finally {
    await destination.close();
  }
}

/**
 * Returns true if one of the witnesses exists, or if `witnesses` is empty. A witness is the name of an object
 * that should be at the destination. The object belongs to a backup that is not being deleted.
 */
async function isWitnessed(destination: Destination, witnesses: readonly string[]): Promise<boolean> {
  for (const name of witnesses) {
    try {
      await destination.size(name);
      return true;
    } catch (error) {
      if (!(error instanceof ObjectMissingError)) throw error;
    }
  }
  return witnesses.length === 0;
}

function unproven({ description }: Destination, witnesses: readonly string[]): string {
  return `Cannot tell whether it was deleted: none of the other backups that should be in the ${description} is there ` +
    `(${witnesses[0]}). Check whether its file system is mounted.`;
}

/** Returns the ports for work that the control plane requested outside a run. */
function requestPorts(clock: Clock, signal: AbortSignal, limits: DestinationLimits): DestinationPorts {
  return { clock, signal, limits, output: null, uploads: null, downloads: null, relay: null };
}
