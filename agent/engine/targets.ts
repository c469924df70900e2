/** Every kind of place that a backup is restored into. */
import type { RestoreTarget } from "../../src/protocol/job.ts";
import type { RestoreContext } from "./jobs/restore.ts";
import { restoreDatabases } from "./sources/database/databases.ts";
import { restoreFiles } from "./restore_files/files.ts";

export interface Put {
  /** Null where they are not counted. */
  filesCount: number | null;
}

type Restore<Target> = (target: Target, context: RestoreContext) => Promise<Put>;
type Types = { [T in RestoreTarget["type"]]: Restore<Extract<RestoreTarget, { type: T }>> };

export const targetTypes: Types = { files: restoreFiles, database: restoreDatabases };

export function restoreInto(target: RestoreTarget, context: RestoreContext): Promise<Put> {
  return (targetTypes[target.type] as Restore<RestoreTarget>)(target, context);
}
