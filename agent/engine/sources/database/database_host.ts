/** Defines what a restore needs from a database engine. */
import type { StoredObject } from "../../../../src/protocol/job.ts";
import type { Rewrite } from "../../archive/feed.ts";
import type { Obstacle, TARGET_STATES } from "../../../../src/protocol/restore_preview.ts";
import type { Inspection } from "../../obstacles.ts";
import type { Command } from "../../programs/children.ts";
import type { RestoreContext } from "../../restore_context.ts";
import type { ProgramContext } from "../../run_context.ts";
import type { LoadRules } from "./load_messages.ts";
import type { DatabaseContents } from "./row_counts.ts";

/** A database to restore from a backup, and its name after the restore. */
export interface DatabaseToRestore {
  readonly archive: StoredObject;
  /** Name of the database in the backup. */
  readonly original: string;
  readonly name: string;
  /** Contents of the database, from the manifest; null if the manifest does not record them. */
  readonly contents: DatabaseContents | null;
}

/** Describes how to load a dump. */
export interface Loader {
  readonly command: Command;
  /** Changes the dump before the command reads it; null if the dump is loaded unchanged. */
  readonly rewrite: Rewrite | null;
  /** Rules that say which errors of the load are tolerated. If absent, no error is tolerated. */
  readonly rules?: LoadRules;
  /** Called after the dump is loaded. Does what is left to do, such as checking the database for damage. */
  finish?(): Promise<void>;
}

/**
 * Server that databases are restored to. The restore calls the methods in the order in which they are listed
 * here. After a successful `inspect`, it always calls `discard` at the end, even if another method fails.
 */
export interface DatabaseHost {
  /** Description of the server and the login for people, such as `PostgreSQL at the socket as postgres`. */
  readonly description: string | null;
  /**
   * Checks whether all of the databases can be restored. Reports obstacles to `inspection`. Rejects if there
   * is another problem. Creates nothing. A restore, but not a preview, also removes what killed runs left
   * behind. Returns what the server has now under the final name of each database, in the order of `wanted`.
   */
  inspect(
    wanted: readonly DatabaseToRestore[],
    inspection: Inspection,
  ): Promise<(typeof TARGET_STATES[number])[]>;
  /** Creates a temporary database. The returned loader loads the dump into that database. */
  create(wanted: DatabaseToRestore): Promise<Loader>;
  /**
   * Replaces the original databases with the temporary ones. If this fails, puts the originals back and
   * rejects. If putting them back fails too, the error says so.
   *
   * @param programs Starts programs that the run's cancellation does not end. Otherwise, a cancellation could
   *   interrupt the replacement halfway.
   */
  publish(wanted: readonly DatabaseToRestore[], programs: ProgramContext): Promise<void>;
  /**
   * Drops unfinished databases. Never rejects. `programs` can be started even after the run was cancelled.
   */
  discard(programs: ProgramContext): Promise<void>;
}

/** Returns the obstacle for an existing database that is not empty and must not be replaced. */
export function occupied(name: string): Obstacle {
  return {
    path: `database ${name}`,
    problem: "is there already and not empty",
    solution: "Set overwrite to replace it, or choose another database_name.",
  };
}

/** The parts of a restore's context that loading needs. */
export type LoadContext = Pick<RestoreContext, "children" | "objects" | "ports" | "progress">;
