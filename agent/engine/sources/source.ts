/** Defines the contract between source types and the engine. */
import type { Missing, SourceDescription, StoredBackup } from "../../../src/protocol/job.ts";
import type { Command, Exit } from "../programs/children.ts";
import type { RunContext } from "../run_context.ts";
import type { RowCounting } from "./database/row_counts.ts";

/**
 * Inspects the source, describes it in the run's output, and plans its parts. Does not start a dump yet.
 * Rejects with a `RunFailedError` if the source is missing, unreachable or cannot be backed up.
 */
export type PrepareSource<Spec> = (spec: Spec, context: RunContext) => Promise<PreparedSource>;

export interface PreparedSource {
  readonly engine: StoredBackup["engine"];
  /** Versions of all programs that the parts use, by program name. */
  readonly tools: Record<string, string>;
  /**
   * Description for the manifest. A person can recognize the source from it. The description contains no
   * secrets.
   */
  readonly description: SourceDescription;
  /** Parts of the backup; at least one. Each becomes one object, in this order. */
  readonly parts: SourcePart[];
  /**
   * Parts of the source, such as databases, that the run cannot store. The run warns of each, and the backup
   * is incomplete.
   */
  readonly missing?: readonly Missing[];
}

/** Stream of data that becomes one object of the backup. */
export interface SourcePart {
  /** Name of the part for output lines, such as `database shop`. */
  readonly label: string;
  readonly database: string | null;
  /**
   * True for a part that belongs to no database, such as roles and accounts. Such parts alone are not a
   * backup.
   */
  readonly isGeneral?: true;
  /**
   * Text between the prefix and the time stamp in the object's name. All its characters must be allowed in
   * file names. Null if the name has no such text.
   */
  readonly infix: string | null;
  /** Extension that tells the stream's format, such as `.tar`; see {@link SourceType.formats}. */
  readonly extension: `.${string}`;
  /**
   * Prepares the stream, just before the command starts. The result is disposed of once the part is stored or
   * has failed.
   */
  begin?(): Promise<AsyncDisposable>;
  readonly command: Command;
  /**
   * Returns the data for the command's stdin. If the data cannot be read, the run fails. The method is
   * undefined if the command reads no stdin.
   */
  input?(): AsyncIterable<Uint8Array>;
  /**
   * File descriptor that the command writes the stream to. Normally the descriptor is 1. It is another one if
   * the command uses its stdout for other output.
   */
  readonly streamDescriptor: number;
  /** File in which the command lists the members that it stores; null if the format has no such list. */
  readonly index: MemberIndex | null;
  /**
   * Starts a count of the part's contents, just before the command starts. Undefined if nothing is counted.
   */
  count?(): RowCounting | Promise<RowCounting>;
  /**
   * Shell command with which users can restore the part, with standard tools only. The command reads the
   * decompressed stream on stdin.
   */
  readonly restore: string;
  /** Takes one line of the command's error output. */
  message(line: string): void;
  /**
   * Whether the source of a failed part was deleted in the meantime. If it was, the part does not count as
   * missing from the backup.
   */
  isGone?(): Promise<boolean>;
  /**
   * Throws a `RunFailedError` if the command failed. If the run can continue with the other parts, the error
   * is of the subclass `SourceFailedError`. If the run must fail, the error is not of this subclass.
   * `checkExit` is called before `checkEnd`.
   */
  checkExit(exit: Exit, filesCount: number): void;
  /** Returns how many files could not be read. Called after the command has succeeded. */
  unreadable?(): number;
  /** Checks the source again after the command has succeeded, and warns of problems. */
  ended?(): Promise<void>;
  /** Throws a `RunFailedError` if the stream does not end with its format's closing marker. */
  checkEnd(end: PartEnd): void;
  /**
   * Throws a `RunFailedError` if the start of the stream does not match its format.
   *
   * @param head The uncompressed bytes of the stream's first compressed block.
   */
  checkHead?(head: Uint8Array): void;
}

/** File that lists the stored members. The command that reads the source adds one line for each member. */
export interface MemberIndex {
  path: string;
  /**
   * Number of lines of the index that do not stand for a file of the source, such as the line for the root.
   */
  rootLines: number;
}

export interface PartEnd {
  /** Length of the uncompressed stream, in bytes. */
  size: number;
  /** Last 64 KiB of the uncompressed stream, or all of it if it is shorter. */
  tail: Uint8Array;
}
