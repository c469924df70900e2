/**
 * Defines what the folder of a destination type exports to the registry, and the ports that the type's
 * functions get.
 */
import type { Clock } from "../../../src/domain/clock.ts";
import type { DestinationCheckResult } from "../../../src/protocol/wire_messages.ts";
import type { Destination, Downloads, Output, Relay, Uploads } from "../ports.ts";
import type { DestinationLimits } from "./limits.ts";

export interface DestinationPorts {
  readonly clock: Clock;
  /** Aborting this signal ends the work in progress. Pending calls reject with the signal's reason. */
  readonly signal: AbortSignal;
  /** The run's output. This port and the next three are null if the destination is opened outside a run. */
  readonly output: Pick<Output, "line"> | null;
  readonly uploads: Uploads | null;
  readonly downloads: Downloads | null;
  readonly relay: Relay | null;
  /** Limits on how long the agent waits for the destination. If absent, the limits of a run apply. */
  readonly limits?: DestinationLimits;
}

export interface DestinationType<Spec> {
  open(spec: Spec, ports: DestinationPorts): Destination | Promise<Destination>;
  /**
   * Writes, reads back and deletes a probe object. Absent if the control plane itself checks destinations of
   * this type.
   */
  check?(spec: Spec, ports: DestinationPorts): Promise<DestinationCheckResult>;
  /**
   * Opens the directory for `recover`. Absent if `recover` has code of its own for destinations of this type.
   */
  openFiles?(spec: Spec, ports: DestinationPorts): Promise<StoredFiles>;
}

/** The files of a destination, for a program that does not know the names of the objects. */
export interface StoredFiles extends AsyncDisposable {
  /** Description for messages: `SFTP backup@host:22 /backups`. */
  readonly description: string;
  /**
   * Yields the path of every file below the directory, relative to the directory. Does not follow symbolic
   * links. Calls `skip` for each directory that the user is not allowed to read.
   */
  paths(skip: (path: string, reason: string) => void): AsyncIterable<string>;
  /** Returns the bytes of a file. Rejects with a `RunFailedError` if the file is missing. */
  read(path: string): Promise<ReadableStream<Uint8Array>>;
}
