/** Measures the space at a destination. */
import type { DestinationSpace } from "../../../src/protocol/job.ts";
import type { Destination } from "../ports.ts";

/**
 * Returns the free and total space of a destination; null if the space is unknown or can't be read. Never
 * rejects, because a backup or a check must not fail only because its destination's space can't be read.
 */
export async function measureSpace(destination: Destination): Promise<DestinationSpace | null> {
  try {
    return await destination.space?.() ?? null;
  } catch {
    return null;
  }
}
