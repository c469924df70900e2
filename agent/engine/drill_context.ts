import type { DrillJob, Proven } from "../../src/protocol/job.ts";
import type { RunPorts } from "./ports.ts";
import type { Children } from "./programs/children.ts";
import type { ReadProgress } from "./jobs/read_progress.ts";
import type { StoredObjects } from "./jobs/stored_objects.ts";

/** The context that all parts of a drill share. */
export interface DrillContext {
  readonly job: DrillJob;
  readonly ports: RunPorts;
  readonly children: Children;
  readonly objects: StoredObjects;
  readonly progress: ReadProgress;
}

/** The files or databases that were restored unchanged, and the duration of the restore in milliseconds. */
export type Drilled = Pick<Proven, "files_count" | "databases" | "restore_ms">;
