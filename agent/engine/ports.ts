/**
 * Interfaces and errors between the engine and its environment, and between the engine's parts. The engine
 * does not know the websocket or the journal. So tests and benchmarks can run it in the same way as an agent.
 */
import type { Clock } from "../../src/domain/clock.ts";
import type { DestinationSpace } from "../../src/protocol/job.ts";
import type { ProgressEvent } from "../../src/protocol/wire_messages.ts";

/** The run's output. Every call writes one line. The receiver adds the time and escapes the text. */
export interface Output {
  line(text: string): void;
  /** Writes a line that starts with `Warning: `, and increases the run's number of warnings. */
  warning(text: string): void;
}

/** The objects and functions that a run gets from its environment. */
export interface RunPorts {
  readonly clock: Clock;
  readonly output: Output;
  /**
   * Aborts when the run is cancelled or times out, or when the agent stops. The reason is a
   * `RunAbortedError`.
   */
  readonly signal: AbortSignal;
  /** An empty private directory (0700) for small files. It is removed with its contents when the run ends. */
  readonly workDirectory: string;
  /** Reports the run's current stats. Called at most once a second. */
  progress(stats: Omit<ProgressEvent, "kind">): void;
  /**
   * Records that an object is about to be created. The engine calls this before it creates the object or its
   * partial file. Once the promise resolves, the record is durable. The object can then be removed even if
   * the agent is killed.
   *
   * `path` is the absolute path of the partial file. It is null if the file is not on this server.
   */
  opening(name: string, path: string | null): Promise<void>;
  /**
   * Records that a directory for unfinished work is about to be created outside the work directory. Once the
   * promise resolves, the record is durable. Even if the agent is then killed, the directory can be found and
   * removed.
   */
  scratch(path: string): Promise<void>;
  readonly uploads: Uploads;
  readonly downloads: Downloads;
  readonly relay: Relay;
  /**
   * Yields the control plane's complete state as SQL text. Must not be called more than once. Rejects with a
   * `RunFailedError` if the export fails. Rejects with the signal's reason if the signal aborts.
   */
  exported(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/**
 * Requests to the control plane for reading from a bucket. They wait while the websocket is not connected,
 * and reject when the signal aborts.
 */
export interface Downloads {
  /**
   * Requests and returns a signed URL for an object.
   *
   * @param name Name of an object of the run's backup, without the directory.
   */
  sign(name: string, signal: AbortSignal): Promise<{ url: string; expiresInMs: number }>;
}

/** Requests to the control plane for reading from another server's disk. */
export interface Relay {
  /**
   * Requests bytes of an object that belongs to the run's backup: from `from` up to, but not including, `to`.
   * Normally resolves with a 206 response that has the bytes. If the bytes are refused, resolves with the
   * refusing response. Rejects if the control plane can't be reached. Also rejects if the signal aborts.
   */
  get(name: string, from: number, to: number, signal: AbortSignal): Promise<Response>;
}

/**
 * Requests to the control plane for an S3 upload. They wait while the websocket is not connected, and reject
 * when the signal aborts.
 */
export interface Uploads {
  open(
    name: string,
    sizeHint: number | null,
    signal: AbortSignal,
  ): Promise<{ uploadId: string; partSize: number }>;
  sign(
    uploadId: string,
    from: number,
    count: number,
    signal: AbortSignal,
  ): Promise<{ urls: { partNumber: number; url: string }[]; expiresInMs: number }>;
  /** Completes an upload. Resolves with the stored size that the bucket reports. */
  complete(
    uploadId: string,
    size: number,
    parts: { partNumber: number; etag: string }[],
    signal: AbortSignal,
  ): Promise<{ size: number }>;
  abort(uploadId: string): Promise<void>;
}

/** An error that fails a run. The message is one line that says what to do. It contains no secrets. */
export class RunFailedError extends Error {
  override readonly name = "RunFailedError";
  /** Names of objects that might still be at the destination, because they could not be removed. */
  leftovers: string[] = [];
}

/** The source could not provide a part. A run with several parts continues without this part. */
export class SourceFailedError extends RunFailedError {}

/**
 * The agent gave up creating an object because a file system did not answer. The file system might still
 * create the file later.
 */
export class UnansweredCreateError extends RunFailedError {}

/** An object is missing although the directory or bucket of the backup's objects exists. */
export class ObjectMissingError extends RunFailedError {}

/**
 * The bytes that were read are not the bytes that were written. This is known from the contents of the read
 * bytes, or from an index. The error is thrown after a single read, so the network might be at fault.
 */
export class DamagedBytesError extends RunFailedError {}

/** The key does not decrypt an object. Most likely the object was encrypted for another key. */
export class WrongKeyError extends RunFailedError {}

/**
 * Thrown if a backup is certainly not as it was stored. For any other `RunFailedError`, the cause might be
 * the network or the server.
 */
export class BackupDamagedError extends RunFailedError {
  /** @param damage One line about the damage. The line is recorded with the backup. */
  constructor(message: string, readonly damage: string) {
    super(message);
  }
}

/**
 * The reason with which a run's `signal` aborts. `outcome` says whether the run ends as cancelled or as
 * failed.
 */
export class RunAbortedError extends Error {
  override readonly name = "RunAbortedError";
  /** Names of objects that might still be at the destination, because the engine could not remove them. */
  leftovers: string[] = [];
  constructor(readonly outcome: "cancelled" | "failed", message: string) {
    super(message);
  }
}

/**
 * A store for objects, opened for one run or one request. An `ObjectWriter` must not be used by several
 * callers at the same time.
 */
export interface Destination {
  /** Description for the run's output: `SFTP backup@host:22 /backups`. */
  readonly description: string;
  /** Returns the absolute path of an object's partial file; null if the file is not on this server. */
  partialPath(name: string): string | null;
  /**
   * Resolves if the directory or bucket of the objects exists. Rejects with a `RunFailedError` if it is
   * missing, for example because its file system is not mounted. It is then unknown whether the objects are
   * lost.
   */
  findLocation(): Promise<void>;
  /**
   * Creates the directory of the objects if it is missing. Undefined if the destination has no directory to
   * create.
   */
  makeLocation?(): Promise<void>;
  /**
   * Starts an object under a temporary name and returns its writer. Rejects if an object called `name`
   * already exists.
   */
  create(name: string, sizeHint: number | null): Promise<ObjectWriter>;
  /**
   * Yields the bytes of an object from `from` up to, but not including, `to`. A chunk is valid until the next
   * one is requested. Rejects with a `RunFailedError` if the object is missing or ends before `to`.
   */
  read(name: string, from: number, to: number): AsyncIterable<Uint8Array>;
  /**
   * Returns the absolute path of the file that contains the object, for programs of this server; null if
   * there is no such file.
   */
  localPath(name: string): string | null;
  /**
   * Returns the object's current size in bytes. Rejects with an `ObjectMissingError` if the object is missing
   * but its directory or bucket exists.
   */
  size(name: string): Promise<number>;
  /**
   * Removes an object and its partial file. Resolves with true if one of them existed. Resolves with false if
   * there was neither an object nor a partial file. Rejects if the directory or bucket is missing.
   */
  remove(name: string): Promise<boolean>;
  /**
   * Returns the free and total space of the destination; null if the space is unknown. The method is
   * undefined if destinations of this type never report their space.
   */
  space?(): Promise<DestinationSpace | null>;
  /** Closes connections. Never rejects. */
  close(): Promise<void>;
}

/** Writes one object. After `commit` or `abort`, no other method may be called. */
export interface ObjectWriter {
  /**
   * A file that a program is allowed to write directly. The agent then need not copy the bytes. Undefined if
   * the destination does not support this.
   */
  readonly direct?: DirectWriting | undefined;
  /**
   * Writes bytes. The caller is allowed to reuse the buffer once the promise resolves. If the destination is
   * slow, the promise resolves late, to slow down the caller.
   */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes the bytes written so far durable, so that `commit` takes less time. The caller is allowed to call
   * `commit` before the promise of `settle` resolves.
   */
  settle?(): Promise<void>;
  /**
   * Makes the object durable and visible under its name. Verifies that the stored size equals the number of
   * bytes written.
   */
  commit(): Promise<void>;
  /**
   * Removes the written bytes. Rejects if they can't be removed. The caller is allowed to call this after a
   * failed `write` or `commit`.
   */
  abort(): Promise<void>;
}

/**
 * Lets a program, and not the agent, write the object's file. The agent then does not call `write`, but reads
 * the bytes from the file.
 */
export interface DirectWriting {
  /** Absolute path of the file to write. It exists and is empty. */
  readonly path: string;
  /** Reports that the agent has read `length` more bytes of what the program wrote. */
  written(length: number): void;
  /** Rejects with the reason why writing fails. Resolves if no reason is found. */
  findFault(): Promise<void>;
}
