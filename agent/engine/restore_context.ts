/**
 * Types that the code of restores shares. The registry of targets imports this code, so these types are in a
 * file of their own.
 */
import type { RestoreJob } from "../../src/protocol/job.ts";
import type { Amounts } from "../../src/protocol/restore_report.ts";
import type { ReadProgress } from "./jobs/read_progress.ts";
import type { StoredObjects } from "./jobs/stored_objects.ts";
import type { RunPorts } from "./ports.ts";
import type { Children } from "./programs/children.ts";

export interface RestoreContext {
  readonly job: RestoreJob;
  readonly ports: RunPorts;
  readonly children: Children;
  readonly objects: StoredObjects;
  readonly progress: ReadProgress;
}

export interface PreviewContext extends RestoreContext {
  /**
   * Whether the backup is on another server's disk. A preview cannot read from there; only a run can. So the
   * preview does not use the backup's index and manifest.
   */
  readonly isElsewhere: boolean;
}

/** The result of restoring into one target. */
export interface RestoreResult {
  /** Number of restored files; null if they are not counted. */
  readonly filesCount: number | null;
  readonly requested: Amounts;
  readonly written: Amounts;
  /** Number of files and directories that could not be written. */
  readonly skippedCount: number;
  /** What was written: either paths, or names of databases. */
  readonly targets: readonly string[];
}
