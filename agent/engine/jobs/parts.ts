/** Stores the parts of a source. Leaves out the parts that the source can't provide. */
import type { Missing } from "../../../src/protocol/job.ts";
import { oneLine } from "../programs/line.ts";
import type { StoredPart } from "../manifest/stored_part.ts";
import { RunFailedError, SourceFailedError } from "../ports.ts";
import type { RunContext } from "../run_context.ts";
import type { RunObjects } from "./run_objects.ts";
import type { PreparedSource, SourcePart } from "../sources/source.ts";

/** Maximum length of a reason, in characters. It keeps messages readable; the protocol's limit is higher. */
const REASON_LENGTH = 1000;

export interface StoredParts {
  readonly stored: StoredPart[];
  /** Parts that were left out of the backup; empty if the backup is complete. */
  readonly missing: Missing[];
}

/**
 * Stores the parts one after the other. Resolves with the stored parts and the parts that were left out.
 * Writes a warning for each part that was left out. Rejects in these cases:
 * - Nothing was stored, or only general parts, such as roles.
 * - A part cannot be stored, and the control plane does not accept incomplete backups.
 * - An error occurs that the source did not cause.
 */
export async function storeParts(
  source: PreparedSource,
  context: RunContext,
  objects: RunObjects,
  store: (part: SourcePart) => Promise<StoredPart>,
): Promise<StoredParts> {
  const stored: StoredPart[] = [];
  const missing: Missing[] = [];
  const isSingle = source.parts.length + (source.missing?.length ?? 0) === 1;
  const leaveOut = (each: Missing) => {
    if (!context.job.accepts_incomplete) throw new RunFailedError(each.reason);
    const reason = oneLine(each.reason).slice(0, REASON_LENGTH);
    context.ports.output.warning(`${each.name} is left out of the backup: ${reason}`);
    missing.push({ name: each.name.slice(0, 1024), reason });
  };
  source.missing?.forEach(leaveOut);
  for (const part of source.parts) {
    const before = objects.committed.length;
    try {
      stored.push(await store(part));
    } catch (error) {
      context.ports.signal.throwIfAborted();
      if (isSingle || !(error instanceof SourceFailedError)) throw error;
      await objects.rollBack(before);
      if (await part.isGone?.()) {
        context.ports.output.warning(`${part.label} was dropped meanwhile, and is not in the backup`);
      } else leaveOut({ name: part.database ?? part.label, reason: error.message });
    }
  }
  refuseNothing(stored, missing);
  return { stored, missing };
}

/** Throws if nothing was stored except general parts, such as roles. */
function refuseNothing(stored: readonly StoredPart[], missing: readonly Missing[]): void {
  if (stored.some(({ part }) => !part.isGeneral)) return;
  const reasons = missing.map(({ reason }) => reason).join("; ");
  throw new RunFailedError(reasons || "Cannot back up anything: the databases were dropped meanwhile.");
}
