/**
 * Interfaces and errors between the engine and its environment, and between the engine's parts. The engine
 * knows neither socket nor journal, so that tests and benchmarks run it as an agent does.
 */
import type { Clock } from "../../src/domain/clock.ts";
import type { ProgressEvent } from "../../src/protocol/wire_messages.ts";

/** The run's output. Every call writes one line; the receiver adds the time and escapes the text. */
export interface Output {
  line(text: string): void;
  /** Writes a line that starts with `Warning: `, and counts it as a warning of the run. */
  warning(text: string): void;
}

/** The environment of one run. */
export interface RunPorts {
  readonly clock: Clock;
  readonly output: Output;
  /** Aborted when the run is cancelled, times out, or the agent stops. The reason is a `RunAbortedError`. */
  readonly signal: AbortSignal;
  /** An empty private directory (0700) for small files; removed with its contents when the run ends. */
  readonly workDirectory: string;
  /** Reports the run's current numbers; called at most once a second. */
  progress(stats: Omit<ProgressEvent, "kind">): void;
  /**
   * Records an object before it or its partial file is created. Durable when it resolves, so that the object
   * can be removed after the agent was killed. `path` is the absolute path of a partial file on this server,
   * otherwise null.
   */
  opening(name: string, path: string | null): Promise<void>;
  /**
   * Records a directory for unfinished work outside the work directory before it is created. Durable when it
   * resolves, so that the directory can be removed with its contents after the agent was killed.
   */
  scratch(path: string): Promise<void>;
  readonly uploads: Uploads;
  readonly downloads: Downloads;
  readonly relay: Relay;
  /**
   * Streams the control plane's complete state as SQL text. May be called once. Rejects with a
   * `RunFailedError`, or when the signal aborts.
   */
  exported(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/**
 * The control plane's part in reading from a bucket. Calls wait while the link is lost; they reject when the
 * signal aborts.
 */
export interface Downloads {
  /** @param name An object of the run's backup, without the directory. */
  sign(name: string, signal: AbortSignal): Promise<{ url: string; expiresInMs: number }>;
}

/** The control plane's part in reading from another server's disk. */
export interface Relay {
  /**
   * Requests the bytes [from, to) of an object of the run's backup. Resolves with a 206 response, or with
   * the refusal. Rejects if the control plane can't be reached, or when the signal aborts.
   */
  get(name: string, from: number, to: number, signal: AbortSignal): Promise<Response>;
}

/**
 * The control plane's part in an S3 upload. Calls wait while the link is lost; they reject when the signal
 * aborts.
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
  /** Resolves with the stored size that the bucket reports. */
  complete(
    uploadId: string,
    size: number,
    parts: { partNumber: number; etag: string }[],
    signal: AbortSignal,
  ): Promise<{ size: number }>;
  abort(uploadId: string): Promise<void>;
}

/** An error that ends a run as failed. Its message is one actionable line without secrets. */
export class RunFailedError extends Error {
  override readonly name = "RunFailedError";
  /** Names of objects that could not be removed from the destination. */
  leftovers: string[] = [];
}

/** Failure of the source to provide a part. A run that stores several parts continues without this one. */
export class SourceFailedError extends RunFailedError {}

/**
 * The creation of an object was abandoned because a file system did not answer. The file may still appear.
 */
export class UnansweredCreateError extends RunFailedError {}

/** An object is missing although the location of the backup's objects exists. */
export class ObjectMissingError extends RunFailedError {}

/**
 * Bytes differ from those that were written, according to their contents or to an index. After one read, the
 * network may be the cause.
 */
export class DamagedBytesError extends RunFailedError {}

/** The given key does not open an object; most likely another key was used to encrypt it. */
export class WrongKeyError extends RunFailedError {}

/**
 * A backup is certainly not as it was stored. For other `RunFailedError`s, the network or the server may be
 * the cause.
 */
export class BackupDamagedError extends RunFailedError {
  /** @param damage One line that is recorded for the backup. */
  constructor(message: string, readonly damage: string) {
    super(message);
  }
}

/** The reason of an aborted `signal`. The outcome decides whether the run ends as cancelled or failed. */
export class RunAbortedError extends Error {
  override readonly name = "RunAbortedError";
  /** Names of objects that the engine could not remove from the destination. */
  leftovers: string[] = [];
  constructor(readonly outcome: "cancelled" | "failed", message: string) {
    super(message);
  }
}

/** A store for objects, opened for one run or one request. One writer must not be used concurrently. */
export interface Destination {
  /** Description for output lines: `SFTP backup@host:22 /backups`. */
  readonly description: string;
  /** Returns the absolute path of the object's partial file; null if it is not on this server. */
  partialPath(name: string): string | null;
  /**
   * Rejects with a `RunFailedError` if the location of the objects is missing, for example on an unmounted
   * file system. In a missing location, a missing object proves nothing.
   */
  findPlace(): Promise<void>;
  /** Creates the location of the objects if it is missing. Undefined if a location needs no creation. */
  makePlace?(): Promise<void>;
  /** Starts an object under a temporary name. Rejects if `name` already exists. */
  create(name: string, sizeHint: number | null): Promise<ObjectWriter>;
  /**
   * Reads the bytes [from, to) of an object, in order. A chunk is valid until the next is requested. Rejects
   * with a `RunFailedError` if the object is missing or ends before `to`.
   */
  read(name: string, from: number, to: number): AsyncIterable<Uint8Array>;
  /**
   * Returns the absolute path at which a program of this server may read the object. Null if the bytes are
   * not on this server.
   */
  localPath(name: string): string | null;
  /**
   * Returns the object's current size in bytes. Rejects with an `ObjectMissingError` if the object is missing
   * but its location exists.
   */
  size(name: string): Promise<number>;
  /**
   * Removes an object and its partial file. Resolves with false if neither exists in the backup's location.
   * Rejects if the location itself is missing.
   */
  remove(name: string): Promise<boolean>;
  /** Releases the connection. Never rejects. */
  close(): Promise<void>;
}

/** One object being written. After `commit` or `abort` nothing else may be called. */
export interface ObjectWriter {
  /**
   * The file that a program of this server may write directly, so that the agent does not copy the bytes.
   */
  readonly direct?: DirectWriting | undefined;
  /**
   * Writes the bytes. The caller may reuse the buffer once this resolves. Slow destinations resolve late, as
   * backpressure.
   */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes the bytes written so far durable, so that a later `commit` takes less time. `commit` may be called
   * without waiting for it.
   */
  settle?(): Promise<void>;
  /**
   * Makes the object durable and visible under its name, and verifies that its stored size equals the bytes
   * written.
   */
  commit(): Promise<void>;
  /** Removes the written bytes. Rejects if it can't. Safe after a failed `write` or `commit`. */
  abort(): Promise<void>;
}

/** Replaces calls of `write`: a program fills the file, and the agent reads along. */
export interface DirectWriting {
  /** Absolute path of an existing, empty file. */
  readonly path: string;
  /** Reports bytes that the program has written and the agent has read. */
  written(length: number): void;
  /** Rejects with the reason why writing fails. Resolves if no reason is found. */
  findFault(): Promise<void>;
}
