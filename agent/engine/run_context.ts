/** Types of the objects that all parts of one backup run use. */
import type { BackupJob, JobOptions } from "../../src/protocol/job.ts";
import type { Children } from "./programs/children.ts";
import type { RunPorts } from "./ports.ts";
import type { SystemUser } from "./programs/system_user.ts";

/** The objects that are needed to start a database's programs. */
export interface ProgramContext {
  readonly job: Pick<BackupJob, "run_as">;
  readonly ports: RunPorts;
  readonly children: Children;
  /** The user that `job.run_as` names; null for the agent's own user. */
  readonly user: SystemUser | null;
}

/** The objects that all parts of one backup run use. */
export interface RunContext extends ProgramContext {
  readonly job: BackupJob;
  readonly options: JobOptions;
}
