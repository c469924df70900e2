/** Defines what the contract suite needs to test a source type: see agent/engine/sources/contract_test.ts. */
import type { DatabaseTarget } from "../../../src/definitions/sources/database_server.ts";
import type { JobSource } from "../../../src/protocol/job.ts";

/** A shell command line that restores, and its environment. */
export interface Restoration {
  line: string;
  env: Record<string, string>;
}

/** The second database server, on which databases are restored. */
export interface RestoreServer {
  login: Pick<DatabaseTarget, "engine" | "host" | "port" | "username" | "password">;
  /** The names of two databases in the source: an ordinary one, and one with special characters. */
  names: [string, string];
  prepare(): Promise<void>;
  quote(name: string): string;
  sql(database: string, text: string): Promise<string>;
  /** Returns a description of a database. Equal databases have equal descriptions. */
  describe(name: string): Promise<string[]>;
  /** Returns the names of all databases. The server's own databases are left out. */
  list(): Promise<string[]>;
  connections(name: string): Promise<number>;
}

export interface SourceFixture extends AsyncDisposable {
  /** Sources that the suite backs up, restores and compares, each on its own. */
  variants: { name: string; spec: JobSource }[];
  /** Secrets that must not appear in any output, manifest or error. */
  secrets: string[];
  /**
   * Prepares an empty location for restored data. `line` is the command in the manifest's `restore` that
   * restores the data. Returns this command with its placeholders filled in.
   */
  restoration(line: string, database: string | null): Promise<Restoration>;
  /** Describes the source. The restored data must have the same description. */
  describeOriginal(): Promise<string[]>;
  describeRestored(): Promise<string[]>;
  /** How to restore through the API; absent for a source that the API cannot restore. */
  api?: {
    /** Bodies of restore requests, one for each restore. */
    requests: Record<string, unknown>[];
    /** Describes the data that the requests restored, in the same form as {@link describeRestored}. */
    describeRestored(): Promise<string[]>;
  };
  /** The server to restore databases on; absent for a source without databases. */
  restoreServer?: RestoreServer;
  reset(): Promise<void>;
}
