/** Measures the space at a destination. */
import type { DestinationSpace } from "../../../src/protocol/job.ts";
import type { Destination } from "../ports.ts";

/**
 * Returns the free and total space of a destination; null if the space is unknown or can't be read. Never
 * rejects, because a backup or a check does not fail for this.
 */
export async function measureSpace(destination: Destination): Promise<DestinationSpace | null> {
  try {
    return await destination.space?.() ?? null;
  } catch {
    return null;
  }
}
