/**
 * What the engine is given and what its parts promise each other. The engine knows no socket and no journal:
 * it reports through these, so that it runs the same under a test, a benchmark or an agent.
 */
import type { Clock } from "../../src/domain/clock.ts";
import type { ProgressEvent } from "../../src/protocol/wire_messages.ts";

/** The run's output. Every call is one line; the time is added by the receiver. Text may hold anything. */
export interface Output {
  line(text: string): void;
  /** A line that starts with `Warning: ` and is counted on the run. */
  warning(text: string): void;
}

/** What a run may use of the world around it. One per run. */
export interface RunPorts {
  readonly clock: Clock;
  readonly output: Output;
  /** Aborted by a cancel, a timeout or the agent's stop; its reason is a `RunAbortedError`. */
  readonly signal: AbortSignal;
  /** An empty private directory (0700) for small files; removed with all it holds when the run ends. */
  readonly workDirectory: string;
  /** At most once a second, the newest figures. */
  progress(figures: Omit<ProgressEvent, "kind">): void;
  /**
   * Called before an object or its partial file is created: durable when it resolves, so that it can be
   * removed after the agent was killed. `path` is the absolute path of a partial file on this server, else
   * null.
   */
  opening(name: string, path: string | null): Promise<void>;
  /**
   * Called before a directory for unfinished work is made elsewhere: durable when it resolves, so that it can
   * be removed, with all it holds, after the agent was killed.
   */
  scratch(path: string): Promise<void>;
  readonly uploads: Uploads;
  readonly downloads: Downloads;
  readonly relay: Relay;
  /**
   * The control plane's state as SQL text, whole and once. Rejects with a `RunFailedError`, or when the
   * signal aborts.
   */
  exported(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/**
 * The control plane's half of reading from a bucket. Waits out a lost link; rejects when the signal aborts.
 */
export interface Downloads {
  /** @param name Of an object of the run's backup, without the directory. */
  sign(name: string, signal: AbortSignal): Promise<{ url: string; expiresInMs: number }>;
}

/** The control plane's half of reading from another server's disk. */
export interface Relay {
  /**
   * The answer to a request for the bytes [from, to) of an object of the run's backup: 206, or why not.
   * Rejects where the control plane can't be reached, or when the signal aborts.
   */
  get(name: string, from: number, to: number, signal: AbortSignal): Promise<Response>;
}

/**
 * The control plane's half of an S3 upload. Calls wait out a lost link; they reject when the signal aborts.
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
  /** Resolves with the stored size, as the bucket tells it. */
  complete(
    uploadId: string,
    size: number,
    parts: { partNumber: number; etag: string }[],
    signal: AbortSignal,
  ): Promise<{ size: number }>;
  abort(uploadId: string): Promise<void>;
}

/** A reason that ends a run as failed: one line that a person can act on, with no secret in it. */
export class RunFailedError extends Error {
  override readonly name = "RunFailedError";
  /** Names of objects that could not be removed from the destination. */
  leftovers: string[] = [];
}

/** Failure of the source to provide a part. A run that stores several parts continues without this one. */
export class SourceFailedError extends RunFailedError {}

/** Creation of an object that was given up while a file system did not answer: the file may still appear. */
export class UnansweredCreateError extends RunFailedError {}

/** An object that is not in the place where its neighbours would be. */
export class ObjectMissingError extends RunFailedError {}

/**
 * Bytes that are not those that were written, by what they hold or by an index: read once, it may be the
 * network's fault.
 */
export class DamagedBytesError extends RunFailedError {}

/** The key at hand does not open an object: most likely another's. */
export class WrongKeyError extends RunFailedError {}

/**
 * A backup is not as it was stored: sure, where another `RunFailedError` may be the network's fault or the
 * server's.
 */
export class BackupDamagedError extends RunFailedError {
  /** @param damage One line, for the backup itself. */
  constructor(message: string, readonly damage: string) {
    super(message);
  }
}

/** The reason of an aborted `signal`: `cancelled` ends the run as cancelled, `failed` as failed. */
export class RunAbortedError extends Error {
  override readonly name = "RunAbortedError";
  /** Set by the engine: names of objects that it could not remove from the destination. */
  leftovers: string[] = [];
  constructor(readonly outcome: "cancelled" | "failed", message: string) {
    super(message);
  }
}

/** A place for objects, opened for one run or one request. Not for concurrent use of one writer. */
export interface Destination {
  /** For output lines: `SFTP backup@host:22 /backups`. */
  readonly description: string;
  /** The absolute path of the object's partial file on this server; null where it lies elsewhere. */
  partialPath(name: string): string | null;
  /**
   * Rejects with a `RunFailedError` where the place of the objects is not there: a file system that is not
   * mounted, say. Of what such a place does not hold, nothing can be told.
   */
  findPlace(): Promise<void>;
  /** Makes what is missing of the place, where it has to be made. */
  makePlace?(): Promise<void>;
  /** Starts an object under a temporary name. Rejects where `name` already exists. */
  create(name: string, sizeHint: number | null): Promise<ObjectWriter>;
  /**
   * The bytes [from, to) of an object, in order; a chunk may be used until the next is asked for. Rejects
   * with a `RunFailedError` where the object is missing or ends before `to`.
   */
  read(name: string, from: number, to: number): AsyncIterable<Uint8Array>;
  /**
   * Where a program of this server may read an object by itself: an absolute path. Null where its bytes come
   * from elsewhere.
   */
  localPath(name: string): string | null;
  /**
   * Bytes that an object has now. Rejects with an `ObjectMissingError` where it is not there but its place
   * is.
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
   * Where a program of this server may write the bytes by itself, which spares the agent from carrying them.
   */
  readonly direct?: DirectWriting | undefined;
  /**
   * Takes the bytes, copying or sending what it keeps: the caller may reuse the buffer once this resolves.
   * Slow destinations hold it back.
   */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes what was written so far durable: a head start on `commit`, which may be called at once after it.
   */
  settle?(): Promise<void>;
  /**
   * Makes the object durable and visible under its name, and proves its stored size equals the bytes written.
   */
  commit(): Promise<void>;
  /** Removes what was written. Rejects when it can't. Safe after a failed `write` or `commit`. */
  abort(): Promise<void>;
}

/** In place of every `write`: a program fills the file, and the agent follows it. */
export interface DirectWriting {
  /** Absolute. It is there, and empty. */
  readonly path: string;
  /** Tells of bytes that the program has written and the agent has seen. */
  written(length: number): void;
  /** Rejects with the reason why no more can be written; resolves where there is none to be found. */
  findFault(): Promise<void>;
}
