/** What the contract suite needs of a source type to try it: see agent/engine/sources/contract_test.ts. */
import type { DatabaseTarget, JobSource } from "../../../src/protocol/job.ts";

/** A shell's command line and what its environment holds. */
export interface Restoration {
  line: string;
  env: Record<string, string>;
}

/** The other server, which databases are restored on. */
export interface DatabasePlace {
  login: Pick<DatabaseTarget, "engine" | "host" | "port" | "username" | "password">;
  /** Of the source's databases: an ordinary name and an odd one. */
  names: [string, string];
  /** Brings what belongs to no database. */
  prepare(): Promise<void>;
  quote(name: string): string;
  sql(database: string, text: string): Promise<string>;
  /** Text that is the same for the same database. */
  describe(name: string): Promise<string[]>;
  /** Names of all but the server's own. */
  list(): Promise<string[]>;
  /** Connections to a database. */
  connections(name: string): Promise<number>;
}

export interface SourceFixture extends AsyncDisposable {
  /** Each is backed up, restored and compared. */
  variants: { name: string; spec: JobSource }[];
  /** What must not be found in any output, manifest or error. */
  secrets: string[];
  /**
   * Makes another place ready for what a line of the manifest's `restore` brings, and fills that place in.
   */
  restoration(line: string, database: string | null): Promise<Restoration>;
  /** Text that is the same for the source and for what was restored of it, and of nothing else. */
  describeOriginal(): Promise<string[]>;
  describeRestored(): Promise<string[]>;
  /** Of a source that the API restores, beside what was backed up. */
  api?: {
    /** What it is asked for, one restore each. */
    requests: Record<string, unknown>[];
    /** As {@link describeRestored}, of what the requests brought. */
    describeRestored(): Promise<string[]>;
  };
  /** Of a source of databases. */
  place?: DatabasePlace;
  /** Forgets what was restored. */
  reset(): Promise<void>;
}
