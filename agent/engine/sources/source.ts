/** What a source type promises the engine. */
import type { Missing, SourceDescription, StoredBackup } from "../../../src/protocol/job.ts";
import type { Command, Exit } from "../programs/children.ts";
import type { RunContext } from "../run_context.ts";
import type { RowCounting } from "./database/row_counts.ts";

/** Looks at the source, says in the run's output what it found, and plans what to store. Starts no dump yet.
 * Rejects with a `RunFailedError` where the source is missing, unreachable or can't be backed up. */
export type PrepareSource<Spec> = (spec: Spec, context: RunContext) => Promise<PreparedSource>;

export interface PreparedSource {
  readonly engine: StoredBackup["engine"];
  /** Program name to version, of every program the parts use. */
  readonly tools: Record<string, string>;
  /** For the manifest: what a person needs to know the source again. Never a secret. */
  readonly description: SourceDescription;
  /** One object each, in this order; at least one. */
  readonly parts: SourcePart[];
  /** Names that the run can't store, such as databases. It warns of each, and its backup is incomplete. */
  readonly missing?: readonly Missing[];
}

/** A stream that becomes one object. */
export interface SourcePart {
  /** For output lines: `database shop`. */
  readonly label: string;
  readonly database: string | null;
  /** True for roles, accounts and the like: without a database, they are no backup. */
  readonly isGeneral?: true;
  /** Between the object's prefix and stamp, safe in a file name; null for none. */
  readonly infix: string | null;
  readonly extension: ".tar" | ".sql" | ".dump";
  readonly command: Command;
  /** What the command reads from its stdin; left out where it reads nothing. Its rejection fails the run. */
  input?(): AsyncIterable<Uint8Array>;
  /** The file descriptor that the command writes the stream to: 1, or another where its stdout is taken. */
  readonly streamDescriptor: number;
  /** Where the command lists the members it stores; null where there is no such list. */
  readonly index: MemberIndex | null;
  /**
   * Begins to count what the part stores; called just before its command starts. Left out where nothing is
   * counted.
   */
  count?(): RowCounting | Promise<RowCounting>;
  /** How to restore it with stock tools: a shell command that reads the uncompressed stream. */
  readonly restore: string;
  /** Takes one line of the command's stderr, as it comes. */
  message(line: string): void;
  /** Whether what it stores has gone since, so that nothing is missing where it failed. */
  isGone?(): Promise<boolean>;
  /**
   * Throws a `RunFailedError` if the command did not exit successfully, or a `SourceFailedError` if the run
   * may continue with the other parts. Called before `checkEnd`.
   */
  checkExit(exit: Exit, filesCount: number): void;
  /** Looks back on the source once the command ended well, and warns of what it finds. */
  ended?(): Promise<void>;
  /** Throws a `RunFailedError` where the stream lacks its closing marker. */
  checkEnd(end: PartEnd): void;
  /**
   * Throws a `RunFailedError` where the stream's first bytes, as many as a compressed block holds, are not
   * its format's.
   */
  checkHead?(head: Uint8Array): void;
}

/** A file that grows by one line a member. */
export interface MemberIndex {
  path: string;
  /** Lines that are not a file of the source: the root's own. */
  rootLines: number;
}

export interface PartEnd {
  /** Uncompressed bytes of the whole stream. */
  size: number;
  /** The last 64 KiB, or all. */
  tail: Uint8Array;
}
