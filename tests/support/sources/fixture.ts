/**
 * Everything that the contract suite needs to test a source type: see agent/engine/sources/contract_test.ts.
 */
import type { DatabaseTarget } from "../../../src/definitions/sources/database_server.ts";
import type { JobSource } from "../../../src/protocol/job.ts";

/** A shell command line and its environment. */
export interface Restoration {
  line: string;
  env: Record<string, string>;
}

/** The other database server, on which databases are restored. */
export interface DatabasePlace {
  login: Pick<DatabaseTarget, "engine" | "host" | "port" | "username" | "password">;
  /** Names of the source's databases: an ordinary one and an odd one. */
  names: [string, string];
  /** Creates the objects that belong to no database. */
  prepare(): Promise<void>;
  quote(name: string): string;
  sql(database: string, text: string): Promise<string>;
  /** Returns text that is equal for equal databases. */
  describe(name: string): Promise<string[]>;
  /** Returns the names of all databases except the server's own. */
  list(): Promise<string[]>;
  /** Returns the number of connections to a database. */
  connections(name: string): Promise<number>;
}

export interface SourceFixture extends AsyncDisposable {
  /** Each is backed up, restored and compared. */
  variants: { name: string; spec: JobSource }[];
  /** Secrets that must not be in any output, manifest or error. */
  secrets: string[];
  /**
   * Prepares an empty location for the result of one line of the manifest's `restore`, and fills its
   * placeholder in.
   */
  restoration(line: string, database: string | null): Promise<Restoration>;
  /** Returns text that is equal only for the source and for what was restored from it. */
  describeOriginal(): Promise<string[]>;
  describeRestored(): Promise<string[]>;
  /** For a source that the API can restore. */
  api?: {
    /** Bodies of restore requests, one for each restore. */
    requests: Record<string, unknown>[];
    /** Does the same as {@link describeRestored}, for what the requests restored. */
    describeRestored(): Promise<string[]>;
  };
  /** For a source of databases. */
  place?: DatabasePlace;
  /** Removes what was restored. */
  reset(): Promise<void>;
}
