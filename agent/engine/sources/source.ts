/** Contract between source types and the engine. */
import type { Missing, SourceDescription, StoredBackup } from "../../../src/protocol/job.ts";
import type { Command, Exit } from "../programs/children.ts";
import type { RunContext } from "../run_context.ts";
import type { RowCounting } from "./database/row_counts.ts";

/**
 * Inspects the source, describes it in the run's output, and plans its parts. Starts no dump yet. Rejects
 * with a `RunFailedError` if the source is missing, unreachable or cannot be backed up.
 */
export type PrepareSource<Spec> = (spec: Spec, context: RunContext) => Promise<PreparedSource>;

export interface PreparedSource {
  readonly engine: StoredBackup["engine"];
  /** Versions of all programs that the parts use, by program name. */
  readonly tools: Record<string, string>;
  /** Description for the manifest, by which a person can identify the source. Never a secret. */
  readonly description: SourceDescription;
  /** Parts, stored as one object each, in this order; at least one. */
  readonly parts: SourcePart[];
  /**
   * Names that the run cannot store, such as databases. The run warns of each, and its backup is incomplete.
   */
  readonly missing?: readonly Missing[];
}

/** A stream that becomes one object. */
export interface SourcePart {
  /** Label for output lines: `database shop`. */
  readonly label: string;
  readonly database: string | null;
  /** True for roles, accounts and the like: without a database, they are not a backup. */
  readonly isGeneral?: true;
  /** Text between the object's prefix and stamp, safe in a file name; null for none. */
  readonly infix: string | null;
  /** Such as `.tar`, by which the type knows its format. */
  readonly extension: `.${string}`;
  /**
   * Makes the stream ready, just before the command starts. The result is disposed of once the part is stored
   * or has failed.
   */
  begin?(): Promise<AsyncDisposable>;
  readonly command: Command;
  /** Input for the command's stdin; missing if it reads none. If it rejects, the run fails. */
  input?(): AsyncIterable<Uint8Array>;
  /** File descriptor that the command writes the stream to: 1, or another if its stdout has another use. */
  readonly streamDescriptor: number;
  /** File in which the command lists the members that it stores; null if there is no such list. */
  readonly index: MemberIndex | null;
  /** Begins to count the part's contents, just before its command starts. Missing if nothing is counted. */
  count?(): RowCounting | Promise<RowCounting>;
  /** Shell command that restores the uncompressed stream from its stdin with stock tools. */
  readonly restore: string;
  /** Takes one line of the command's stderr. */
  message(line: string): void;
  /** Whether the source of a failed part no longer exists. Such a part is not missing from the backup. */
  isGone?(): Promise<boolean>;
  /**
   * Throws a `RunFailedError` if the command did not exit successfully, or a `SourceFailedError` if the run
   * may continue with the other parts. Called before `checkEnd`.
   */
  checkExit(exit: Exit, filesCount: number): void;
  /** Checks the source again after the command has succeeded, and warns of problems. */
  ended?(): Promise<void>;
  /** Throws a `RunFailedError` if the stream lacks its closing marker. */
  checkEnd(end: PartEnd): void;
  /**
   * Throws a `RunFailedError` if the stream does not start like its format. The head is as long as one
   * compressed block.
   */
  checkHead?(head: Uint8Array): void;
}

/** File that grows by one line for each member. */
export interface MemberIndex {
  path: string;
  /** Number of lines that are not files of the source: that of the root. */
  rootLines: number;
}

export interface PartEnd {
  /** Uncompressed bytes of the whole stream. */
  size: number;
  /** The last 64 KiB of the stream, or all of it. */
  tail: Uint8Array;
}
