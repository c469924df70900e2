/** The registry of restore targets. */
import type { RestoreTarget } from "../../src/protocol/job.ts";
import type { RestoreContext } from "./restore_context.ts";
import { restoreDatabases } from "./sources/database/databases.ts";
import { restoreFiles } from "./restore_files/files.ts";
import type { RestoreResult } from "./restore_context.ts";

type Restore<Target> = (target: Target, context: RestoreContext) => Promise<RestoreResult>;
type Types = { [T in RestoreTarget["type"]]: Restore<Extract<RestoreTarget, { type: T }>> };

export const targetTypes: Types = { files: restoreFiles, database: restoreDatabases };

export function restoreInto(target: RestoreTarget, context: RestoreContext): Promise<RestoreResult> {
  return (targetTypes[target.type] as Restore<RestoreTarget>)(target, context);
}
