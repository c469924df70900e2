/** Defines what the folder of each source type exports to the registry. */
import type { JobSource, RestoreTarget } from "../../../src/protocol/job.ts";
import type { DrillContext, Drilled } from "../drill_context.ts";
import type { CollectedObstacles, PreviewedRestore } from "../obstacles.ts";
import type { PreviewContext, RestoreContext, RestoreResult } from "../restore_context.ts";
import type { ProgramContext } from "../run_context.ts";
import type { PartEnd, PrepareSource } from "./source.ts";
import type { DatabaseSource } from "../../../src/definitions/sources/database_server.ts";
import type { ServerDatabase } from "../../../src/protocol/exploring.ts";

/** The databases of a server that `*` selects, and a description of the server for people. */
export interface DatabaseList {
  readonly server: string;
  readonly databases: ServerDatabase[];
}

/** Address of a database server, and the login's name and password. */
export type DatabaseLogin = Pick<DatabaseSource, "host" | "port" | "username" | "password">;

export interface SourceType<Spec = JobSource, Target = RestoreTarget> {
  readonly prepare: PrepareSource<Spec>;
  /**
   * Formats of this source type's streams. The keys are the extensions of object names, without the dot:
   * `tar`, `sql`, `dump`.
   */
  readonly formats: Readonly<Record<string, StreamFormat>>;
  /** Names of programs. The agent reports to the control plane which of them are installed. */
  readonly programs: readonly string[];
  /** Restores a backup. Undefined if agents cannot restore this type. */
  restore?(target: Target, context: RestoreContext): Promise<RestoreResult>;
  /**
   * Makes the checks of a restore without changing anything. Returns what would be restored, and to which
   * locations. Undefined if agents cannot restore this type.
   */
  preview?(
    target: Target,
    context: PreviewContext,
    inspection: CollectedObstacles,
  ): Promise<PreviewedRestore>;
  /**
   * Restores a backup into a scratch location, compares the result with the original, and removes the
   * result. Undefined if this source type has no drills.
   *
   * @param target Undefined for source types whose drills need no target.
   */
  drill?(target: Target | undefined, context: DrillContext): Promise<Drilled>;
  /**
   * Describes in one line the sessions or programs that block a run. Returns null if the run waits for no
   * lock.
   *
   * @param names Names of the run's databases.
   */
  findLockWait?(
    spec: Spec | Target,
    names: readonly string[],
    context: ProgramContext,
  ): Promise<string | null>;
  /**
   * Lists a server's databases without changing anything. Undefined for source types that use no database
   * server.
   */
  listDatabases?(login: DatabaseLogin, context: ProgramContext): Promise<DatabaseList>;
  /**
   * How the agent detects that a database server is of this type. Used if a task names no type. Undefined if
   * tasks always name this type.
   */
  readonly detection?: ServerDetection;
}

/**
 * Format of a stored stream. Its checks need only the stream, not the stream's source. If a check finds a
 * fault, it throws a `RunFailedError`.
 */
export interface StreamFormat {
  /**
   * Checks the start of the stream.
   *
   * @param head The first compressed block, decompressed.
   */
  checkHead?(label: string, head: Uint8Array): void;
  /**
   * Checks the end of the stream.
   *
   * @param head The first compressed block, decompressed; empty if this format has no `checkHead`.
   */
  checkEnd?(label: string, end: PartEnd, head: Uint8Array): void;
}

/** Rules by which the agent recognizes a type of database server. */
export interface ServerDetection {
  readonly defaultPort: number;
  /**
   * Returns the paths of sockets on which a server of this type might listen.
   *
   * @param host Path of a socket or of its directory; null for the default paths.
   */
  sockets(host: string | null, port: number | null): string[] | Promise<string[]>;
  /** Bytes that make a server respond. Undefined if servers of this type send a greeting first. */
  readonly hello?: Uint8Array;
  /** Whether a server's first bytes show that the server is of this type. */
  isAnswer(bytes: Uint8Array): boolean;
  /** Whether a program with this name belongs to servers of this type. */
  isProgram(name: string): boolean;
}
