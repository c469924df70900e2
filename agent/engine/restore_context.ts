/** Types that the parts of a restore run share. They are separate from the registry of targets. */
import type { RestoreJob } from "../../src/protocol/job.ts";
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

/** The result of a restore into its target. */
export interface RestoreResult {
  /** Null if files are not counted. */
  filesCount: number | null;
}
