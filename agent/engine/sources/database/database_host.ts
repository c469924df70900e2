/** What a restore of databases asks of a database engine. */
import type { StoredObject } from "../../../../src/protocol/job.ts";
import type { Rewrite } from "../../archive/feed.ts";
import { RunFailedError } from "../../ports.ts";
import type { Command } from "../../programs/children.ts";
import type { RestoreContext } from "../../restore_context.ts";
import type { ProgramContext } from "../../run_context.ts";
import type { LoadRules } from "./load_messages.ts";
import type { DatabaseContents } from "./row_counts.ts";

/** One database of the backup, and the one that it becomes. */
export interface WantedDatabase {
  readonly archive: StoredObject;
  /** Its name in the backup. */
  readonly original: string;
  readonly name: string;
  /** As the manifest tells them; null where it does not. */
  readonly contents: DatabaseContents | null;
}

/** What a dump is loaded by. */
export interface Loader {
  readonly command: Command;
  /** Changes the dump on its way into the command; null: it stays as it is. */
  readonly rewrite: Rewrite | null;
  /** Which errors the load may have. */
  readonly rules?: LoadRules;
  /** Called once all is loaded. */
  finish?(): Promise<void>;
}

/**
 * A database server that takes a restore. Methods are called in this order, `discard` in any case, at the
 * end.
 */
export interface DatabaseHost {
  /** Rejects, before anything is made, where one can't be restored there. */
  inspect(wanted: readonly WantedDatabase[]): Promise<void>;
  /**
   * Makes a fresh database; what the command reads is loaded into it, rewritten on its way where the loader
   * says how.
   */
  create(wanted: WantedDatabase): Promise<Loader>;
  /**
   * Puts the fresh ones into their places. Where it rejects, what was there is as it was, unless the error
   * says otherwise. `programs` are not ended by a cancel: it is never left half done.
   */
  publish(wanted: readonly WantedDatabase[], programs: ProgramContext): Promise<void>;
  /** Drops what is unfinished; never rejects. `programs` may be started in a run that is over. */
  discard(programs: ProgramContext): Promise<void>;
}

export function occupied(name: string): RunFailedError {
  return new RunFailedError(
    `database ${name} is there already and not empty. Set overwrite to replace it, or choose another database_name.`,
  );
}

/** What it takes to read and load a dump. */
export type LoadContext = Pick<RestoreContext, "children" | "objects" | "ports" | "progress">;
