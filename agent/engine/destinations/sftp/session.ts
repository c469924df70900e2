/**
 * An SFTP session. Wraps ssh2's channel in promises, and turns refusals by the server into `RunFailedError`s.
 */
import type { DestinationSpace } from "../../../../src/protocol/job.ts";
import { Buffer } from "node:buffer";
import type { Client, FileEntryWithStats, SFTPWrapper, Stats } from "ssh2";
import type { Clock } from "../../../../src/domain/clock.ts";
import type { SftpDestination as Spec } from "../../../../src/definitions/destinations/sftp.ts";
import { RunAbortedError, RunFailedError } from "../../ports.ts";
import { ConnectionLostError, type Done, SftpRequests } from "./requests.ts";
import { openingError } from "./opening_error.ts";
import { describeServer, logIn } from "./ssh_login.ts";

/** Status codes of draft-ietf-secsh-filexfer-02. */
const NO_SUCH_FILE = 2;
const PERMISSION_DENIED = 3;
const FAILURE = 4;
const BAD_MESSAGE = 5;
const UNSUPPORTED = 8;

/**
 * Minimum free space of the server's disk, in bytes. A disk with less free space counts as full. If a write
 * to it fails, the full disk is reported as the cause.
 */
const FULL = 2 ** 20;
const GOODBYE = 2000;
/** Mode of new directories: only the account of the log-in may enter them. */
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * Time limit of a sync, in milliseconds. Making a large file durable takes long, and the server does not
 * respond meanwhile.
 */
const SYNC_LIMIT = 15 * 60_000;

export interface SessionPorts {
  readonly clock: Clock;
  /**
   * Aborting this signal ends pending requests. A request that starts after the abort is part of the cleanup.
   * It is still sent, but it has a shorter time limit.
   */
  readonly signal: AbortSignal;
  readonly idleMs: number;
  /** Aborting this signal ends the log-in. If absent, `signal` ends the log-in. */
  readonly login?: AbortSignal;
}

export class SftpSession {
  private constructor(
    private readonly spec: Spec,
    private readonly clock: Clock,
    private readonly client: Client,
    private readonly sftp: SFTPWrapper,
    private readonly requests: SftpRequests,
  ) {}

  /**
   * Logs in, opens an SFTP channel and returns the session. Rejects with a {@link LoginFailedError} if the
   * log-in fails. Rejects with another `RunFailedError` if no SFTP channel opens. Rejects with the signal's
   * reason if the signal aborts.
   */
  static async open(
    spec: Spec,
    { clock, signal, idleMs, login = signal }: SessionPorts,
  ): Promise<SftpSession> {
    const client = await logIn(spec, login);
    // Each pending request listens for the end of the connection, so there may be many listeners.
    client.setMaxListeners(0);
    const requests = new SftpRequests(client, clock, idleMs, signal);
    try {
      const sftp = await requests.send<SFTPWrapper>((done) => client.sftp(done));
      sftp.on("close", () => requests.lose()).on("error", () => requests.lose());
      return new SftpSession(spec, clock, client, sftp, requests);
    } catch (error) {
      const reason = await openingError(spec, error as Error, client, clock);
      client.destroy();
      signal.throwIfAborted();
      throw reason;
    }
  }

  get isLost(): boolean {
    return this.requests.isLost;
  }

  /** Calls `listener` once when the connection ends. Returns a function that removes the listener. */
  onLost(listener: () => void): () => void {
    this.client.once("close", listener);
    return () => void this.client.removeListener("close", listener);
  }

  /** Maximum number of bytes that the server accepts in one write. */
  get writeLimit(): number {
    return (this.sftp as unknown as { _maxWriteLen?: number })._maxWriteLen ?? 32_768;
  }

  createFile(path: string): Promise<Buffer> {
    return this.#call(`write ${path}`, (done) => this.sftp.open(path, "wx", { mode: FILE_MODE }, done));
  }

  /** Opens an existing file to continue writing it. Returns its handle. */
  openAgain(path: string): Promise<Buffer> {
    return this.#call(`write ${path}`, (done) => this.sftp.open(path, "r+", done));
  }

  /** Writes bytes at a position. The caller can reuse `bytes` immediately, because ssh2 copies them. */
  writeAt(path: string, handle: Buffer, bytes: Buffer, position: number): Promise<void> {
    return this.#call(
      `write ${path}`,
      (done: Done<void>) => this.sftp.write(handle, bytes, 0, bytes.length, position, done),
    );
  }

  /** Closes a file. Some servers make a file durable only when it is closed. */
  closeFile(path: string, handle: Buffer): Promise<void> {
    return this.#call(`write ${path}`, (done: Done<void>) => this.sftp.close(handle, done), SYNC_LIMIT);
  }

  /** Returns the attributes of a path without following symbolic links; null if the path does not exist. */
  async look(path: string): Promise<Stats | null> {
    try {
      return await this.#raw((done: Done<Stats>) => this.sftp.lstat(path, done));
    } catch (error) {
      if (statusOf(error) === NO_SUCH_FILE) return null;
      throw await this.explain(`look at ${path}`, error);
    }
  }

  /** Returns the entries of a directory with their attributes. Does not follow symbolic links. */
  list(path: string): Promise<FileEntryWithStats[]> {
    return this.#call(`list ${path}`, (done) => this.sftp.readdir(path, done));
  }

  /** Removes a file. Returns whether the file existed. */
  async removeIfThere(path: string): Promise<boolean> {
    try {
      await this.#raw((done: Done<void>) => this.sftp.unlink(path, done));
      return true;
    } catch (error) {
      if (statusOf(error) !== NO_SUCH_FILE) throw await this.explain(`remove ${path}`, error);
      return false;
    }
  }

  openFile(path: string): Promise<Buffer> {
    return this.#call(`read ${path}`, (done) => this.sftp.open(path, "r", done));
  }

  /** Reads into `buffer` and returns the number of bytes read; 0 at the end of the file. */
  readAt(path: string, handle: Buffer, buffer: Buffer, length: number, position: number): Promise<number> {
    return this.#call(`read ${path}`, (done) => this.sftp.read(handle, buffer, 0, length, position, done));
  }

  /** Makes the file durable. Does nothing if the server does not support syncs. */
  async sync(path: string, handle: Buffer): Promise<void> {
    try {
      await this.requests.send((done: Done<void>) => this.sftp.ext_openssh_fsync(handle, done), SYNC_LIMIT);
    } catch (error) {
      const isMissing = statusOf(error) === UNSUPPORTED || /does not support/.test((error as Error).message);
      if (!isMissing) throw await this.explain(`write ${path}`, error);
    }
  }

  /**
   * Renames a file without overwriting another file. Checks that the new name is free: version 3 of the
   * protocol forbids overwriting, but some servers overwrite.
   */
  async rename(from: string, to: string): Promise<void> {
    if (await this.look(to) !== null) {
      throw new RunFailedError(`Cannot write ${to}: another file took its name. Run the task again.`);
    }
    try {
      await this.#raw((done: Done<void>) => this.sftp.rename(from, to, done));
    } catch (error) {
      if (statusOf(error) !== UNSUPPORTED) throw await this.explain(`rename ${from} to ${to}`, error);
      await this.#call(
        `rename ${from} to ${to}`,
        (done: Done<void>) => this.sftp.ext_openssh_rename(from, to, done),
      );
    }
  }

  async makeDirectory(path: string): Promise<void> {
    if (path === "." || path === "/" || path === "") return;
    const there = await this.follow(path);
    if (there !== null) {
      if (there.isDirectory()) return;
      throw new RunFailedError(`Cannot make ${path}: a file has that name. Correct the destination's path.`);
    }
    await this.makeDirectory(parentOf(path));
    try {
      await this.#raw((done: Done<void>) => this.sftp.mkdir(path, { mode: DIRECTORY_MODE }, done));
    } catch (error) {
      // Another client might have created the directory in the meantime.
      if ((await this.follow(path))?.isDirectory()) return;
      if ((await this.look(path))?.isSymbolicLink()) {
        throw new RunFailedError(
          `Cannot make ${path} at ${
            describeServer(this.spec)
          }: a symbolic link of that name has no target. Correct the link, or sftp_path.`,
        );
      }
      throw await this.explain(`make the directory ${path}`, error);
    }
  }

  /**
   * Returns the error for a failed request. Adds details that the server omits but that further requests
   * reveal.
   */
  async explain(action: string, error: unknown): Promise<Error> {
    // The error is the signal's reason, or an earlier call of this method returned it.
    if (error instanceof RunFailedError || error instanceof RunAbortedError) return error;
    const fail = (reason: string) =>
      new RunFailedError(`Cannot ${action} at ${describeServer(this.spec)}: ${reason}`, { cause: error });
    switch (statusOf(error)) {
      case NO_SUCH_FILE:
        return fail("it does not exist. Check sftp_path.");
      case PERMISSION_DENIED:
        return fail("the user lacks the permission. Change the directory's owner or mode, or sftp_path.");
      case FAILURE:
        return fail(
          await this.#diskFault() ??
            "the server gives no reason. Check its disk, the user's quota, and its log.",
        );
      case BAD_MESSAGE:
        return fail(
          "the server refuses the name: it may be too long. Shorten the task's appended file name or path.",
        );
      case null:
        return fail(`${this.requests.reason}. Check the network and the server, and run the task again.`);
      default:
        return fail(`${(error as Error).message}.`);
    }
  }

  /** Returns the error for work that the end of the connection interrupted. */
  explainLoss(action: string): Promise<Error> {
    return this.explain(action, new ConnectionLostError(this.requests.reason));
  }

  /** Closes the connection. Never rejects. */
  async close(): Promise<void> {
    if (this.isLost) return void this.client.destroy();
    const closed = new Promise<void>((resolve) => this.client.once("close", () => resolve()));
    const over = new AbortController();
    this.client.end();
    await Promise.race([closed, this.clock.sleep(GOODBYE, over.signal).catch(() => {})]);
    over.abort();
    this.client.destroy();
  }

  /** Returns the attributes of a path, following symbolic links; null if the path does not exist. */
  async follow(path: string): Promise<Stats | null> {
    try {
      return await this.#raw((done: Done<Stats>) => this.sftp.stat(path, done));
    } catch (error) {
      if (statusOf(error) === NO_SUCH_FILE) return null;
      throw await this.explain(`look at ${path}`, error);
    }
  }

  /**
   * Returns the problem of the disk that holds the directory; null if no problem is found. For a missing
   * directory, checks the disk of the nearest existing directory above.
   */
  async #diskFault(): Promise<string | null> {
    for (let path = this.spec.directory;; path = parentOf(path)) {
      try {
        return faultOf(
          await this.#raw((done: Done<unknown>) => this.sftp.ext_openssh_statvfs(path, done as never)),
        );
      } catch (error) {
        // The disk can't be checked: the server does not support `statvfs`, or the connection is lost.
        if (statusOf(error) !== NO_SUCH_FILE || path === parentOf(path)) return null;
      }
    }
  }

  /**
   * Returns the free and total space of the file system that contains a directory; null if the server does
   * not report the space.
   */
  async space(path: string): Promise<DestinationSpace | null> {
    try {
      const { f_bavail, f_blocks, f_frsize } = await this.#raw((done: Done<unknown>) =>
        this.sftp.ext_openssh_statvfs(path, done as never)
      ) as Record<string, number>;
      return { free: f_bavail! * f_frsize!, total: f_blocks! * f_frsize! };
    } catch (error) {
      if (error instanceof ConnectionLostError || error instanceof RunAbortedError) throw error;
      return null;
    }
  }

  async #call<T>(action: string, start: (done: Done<T>) => void, limitMs?: number): Promise<T> {
    try {
      return await this.requests.send(start, limitMs);
    } catch (error) {
      throw await this.explain(action, error);
    }
  }

  #raw<T>(start: (done: Done<T>) => void): Promise<T> {
    return this.requests.send(start);
  }
}

/** The flag of `statvfs` for a read-only file system. */
const READ_ONLY = 1;

function faultOf(disk: unknown): string | null {
  const { f_bavail, f_frsize, f_files, f_favail, f_flag } = disk as Record<string, number>;
  if (((f_flag ?? 0) & READ_ONLY) !== 0) return "its file system is read-only. Mount it for writing.";
  if (f_bavail! * f_frsize! < FULL) return "its disk is full. Free some space there, or keep fewer backups.";
  // `f_files` is 0 on file systems without a fixed number of files.
  if (f_files! > 0 && f_favail === 0) {
    return "its disk can hold no more files (no inodes are left). Remove files there, or keep fewer backups.";
  }
  return null;
}

/** Returns the SFTP status code of an error; null if the error is not a response of the server. */
export function statusOf(error: unknown): number | null {
  const code = (error as { code?: unknown }).code;
  return typeof code === "number" ? code : null;
}

function parentOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? "." : path.slice(0, at) || "/";
}
