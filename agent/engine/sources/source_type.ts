/** A source type as its folder exports it to the registry. */
import type { JobSource, RestoreTarget } from "../../../src/protocol/job.ts";
import type { DrillContext, Drilled } from "../drill_context.ts";
import type { RestoreContext, RestoreResult } from "../restore_context.ts";
import type { ProgramContext } from "../run_context.ts";
import type { PartEnd, PrepareSource } from "./source.ts";

export interface SourceType<Spec = JobSource, Target = RestoreTarget> {
  readonly prepare: PrepareSource<Spec>;
  /** Formats of its streams, by the extension of their objects: `tar`, `sql`, `dump`. */
  readonly formats: Readonly<Record<string, StreamFormat>>;
  /** Programs that the agent reports to the control plane if they are installed. */
  readonly programs: readonly string[];
  /** Restores a backup. Missing if agents can't restore this type. */
  restore?(target: Target, context: RestoreContext): Promise<RestoreResult>;
  /**
   * Restores a backup into a scratch location, compares it, and removes it. Missing if no drill is possible.
   *
   * @param target Undefined for types whose drills need none.
   */
  drill?(target: Target | undefined, context: DrillContext): Promise<Drilled>;
  /**
   * Returns one line about the sessions or programs that block a run; null if the run waits for no lock.
   *
   * @param names The databases of the run.
   */
  findLockWait?(
    spec: Spec | Target,
    names: readonly string[],
    context: ProgramContext,
  ): Promise<string | null>;
  /** For servers that tasks need not name by type. */
  readonly detection?: ServerDetection;
}

/**
 * Format of a stored stream, which can be checked without its source. Both functions throw a
 * `RunFailedError`.
 */
export interface StreamFormat {
  /** Checks the first compressed block. */
  checkHead?(label: string, head: Uint8Array): void;
  /** @param head The first compressed block if the type checks heads; otherwise empty. */
  checkEnd?(label: string, end: PartEnd, head: Uint8Array): void;
}

/** How a type of database server is recognised. */
export interface ServerDetection {
  readonly defaultPort: number;
  /**
   * Returns the paths of sockets that such a server may listen on.
   *
   * @param host A socket, or the directory of one; null for the usual places.
   */
  sockets(host: string | null, port: number | null): string[] | Promise<string[]>;
  /** Bytes that make a server respond, if it sends no greeting. */
  readonly hello?: Uint8Array;
  /** Whether these first bytes come from such a server. */
  isAnswer(bytes: Uint8Array): boolean;
  /** Whether a program of a run works with such a server. */
  isProgram(name: string): boolean;
}
