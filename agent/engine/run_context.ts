/** Objects that the parts of one run share. */
import type { BackupJob, JobOptions } from "../../src/protocol/job.ts";
import type { Children } from "./programs/children.ts";
import type { RunPorts } from "./ports.ts";
import type { SystemUser } from "./programs/system_user.ts";

/** The context for starting a database's programs. */
export interface ProgramContext {
  readonly job: Pick<BackupJob, "run_as">;
  readonly ports: RunPorts;
  readonly children: Children;
  /** The user of `job.run_as`; null for the agent's own user. */
  readonly user: SystemUser | null;
}

/** The context that every part of one backup run shares. */
export interface RunContext extends ProgramContext {
  readonly job: BackupJob;
  readonly options: JobOptions;
}
