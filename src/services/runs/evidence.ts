/** Reads what verifications and drills have proven. Agents report this in the verdicts. */
import type { ProvenDatabase } from "../../protocol/job.ts";
import { Verdict } from "../../protocol/wire_messages.ts";

/**
 * What a successful verification or drill compared. A value is null if the check did not compare it, or if
 * the agent does not report it.
 */
export interface Evidence {
  /** Files and directories that were compared. */
  readonly files_count: number | null;
  /** Databases that were restored and compared. */
  readonly databases: readonly ProvenDatabase[] | null;
  /** Number of stored objects whose size and SHA-256 were compared. */
  readonly objects_count: number | null;
  /** Whether the archives were decrypted. */
  readonly is_opened: boolean;
  readonly read_bytes: number;
  /** Duration of the restore alone; null for a verification. */
  readonly restore_ms: number | null;
  readonly duration_ms: number;
}

/** Returns what a run has proven; null if the run is no successful verification or drill. */
export function evidenceOf(stored: unknown): Evidence | null {
  const { data: verdict } = Verdict.safeParse(stored);
  if (verdict?.outcome !== "succeeded") return null;
  if ("verified" in verdict) {
    const { bytes_read, duration_ms, files_count, is_opened, objects_count = null } = verdict.verified;
    const none = { databases: null, restore_ms: null };
    return { ...none, files_count, objects_count, is_opened, read_bytes: bytes_read, duration_ms };
  }
  if ("proven" in verdict) {
    const { bytes_read, databases = null, duration_ms, files_count, restore_ms } = verdict.proven;
    const none = { objects_count: null, is_opened: true };
    return { ...none, files_count, databases, read_bytes: bytes_read, restore_ms, duration_ms };
  }
  return null;
}
