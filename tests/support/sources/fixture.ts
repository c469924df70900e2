/** What the contract suite needs of a source type to try it: see agent/engine/sources/contract_test.ts. */
import type { JobSource } from "../../../src/protocol/job.ts";

export interface SourceFixture extends AsyncDisposable {
  /** Each is backed up, restored and compared. */
  variants: { name: string; spec: JobSource }[];
  /** What must not be found in any output, manifest or error. */
  secrets: string[];
  /**
   * Restores with stock tools, in another place. `stream` holds the uncompressed stream of one object; `command` is
   * what the manifest says to feed it to, and `database` whose it is.
   */
  restore(stream: string, command: string, database: string | null): Promise<void>;
  /** Text that is the same for the source and for what was restored of it, and of nothing else. */
  describeOriginal(): Promise<string[]>;
  describeRestored(): Promise<string[]>;
  /** Forgets what was restored. */
  reset(): Promise<void>;
}
