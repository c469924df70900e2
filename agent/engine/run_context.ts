/** What every part of one backup run shares. */
import type { BackupJob } from "../../src/protocol/job.ts";
import type { Children } from "./children.ts";
import type { RunPorts } from "./ports.ts";
import type { SystemUser } from "./system_user.ts";

export interface RunContext {
  readonly job: BackupJob;
  readonly ports: RunPorts;
  readonly children: Children;
  /** From `job.run_as`; null: the agent's own user. */
  readonly user: SystemUser | null;
}
