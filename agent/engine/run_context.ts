/** What the parts of one run share. */
import type { BackupJob, JobOptions } from "../../src/protocol/job.ts";
import type { Children } from "./programs/children.ts";
import type { RunPorts } from "./ports.ts";
import type { SystemUser } from "./programs/system_user.ts";

/** What it takes to start a database's programs. */
export interface ProgramContext {
  readonly job: Pick<BackupJob, "run_as">;
  readonly ports: RunPorts;
  readonly children: Children;
  /** From `job.run_as`; null: the agent's own user. */
  readonly user: SystemUser | null;
}

/** What every part of one backup run shares. */
export interface RunContext extends ProgramContext {
  readonly job: BackupJob;
  readonly options: JobOptions;
}
