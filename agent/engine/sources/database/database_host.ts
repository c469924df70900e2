/** Interface between a restore of databases and a database engine. */
import type { StoredObject } from "../../../../src/protocol/job.ts";
import type { Rewrite } from "../../archive/feed.ts";
import { RunFailedError } from "../../ports.ts";
import type { Command } from "../../programs/children.ts";
import type { RestoreContext } from "../../restore_context.ts";
import type { ProgramContext } from "../../run_context.ts";
import type { LoadRules } from "./load_messages.ts";
import type { DatabaseContents } from "./row_counts.ts";

/** Database of the backup to restore, and the name to restore it under. */
export interface DatabaseToRestore {
  readonly archive: StoredObject;
  /** Its name in the backup. */
  readonly original: string;
  readonly name: string;
  /** From the manifest; null if it has no contents. */
  readonly contents: DatabaseContents | null;
}

/** Command that loads a dump. */
export interface Loader {
  readonly command: Command;
  /** Transforms the dump before the command reads it; null if it is loaded as it is. */
  readonly rewrite: Rewrite | null;
  /** Errors that the load may have. */
  readonly rules?: LoadRules;
  /** Called after everything is loaded. */
  finish?(): Promise<void>;
}

/**
 * Database server that databases are restored to. The restore calls the methods in this order. It always
 * calls `discard`, last.
 */
export interface DatabaseHost {
  /** Rejects, before anything is created, if one of the databases cannot be restored. */
  inspect(wanted: readonly DatabaseToRestore[]): Promise<void>;
  /** Creates a temporary database. The returned loader loads the dump into it. */
  create(wanted: DatabaseToRestore): Promise<Loader>;
  /**
   * Replaces the original databases with the temporary ones. If it rejects, the originals are unchanged,
   * unless the error says otherwise. A cancel does not end `programs`, so that the replacement is never
   * interrupted halfway.
   */
  publish(wanted: readonly DatabaseToRestore[], programs: ProgramContext): Promise<void>;
  /** Drops unfinished databases. Never rejects. `programs` may be started after the run has ended. */
  discard(programs: ProgramContext): Promise<void>;
}

export function occupied(name: string): RunFailedError {
  return new RunFailedError(
    `database ${name} is there already and not empty. Set overwrite to replace it, or choose another database_name.`,
  );
}

/** Parts of a run's context that loading needs. */
export type LoadContext = Pick<RestoreContext, "children" | "objects" | "ports" | "progress">;
