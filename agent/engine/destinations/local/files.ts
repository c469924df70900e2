/**
 * File operations at a local destination. If the server of a network file system is gone, an operation might
 * block for ever, and its system call can't be cancelled. So each operation has a time limit, after which the
 * agent no longer waits for it.
 */
import { type Clock, systemClock } from "../../../../src/domain/clock.ts";
import { RunFailedError } from "../../ports.ts";
import { runLimits } from "../limits.ts";
import { atLocal } from "./errors.ts";

/** Time limit of a sync, in milliseconds. A sync of a large file takes long and shows no progress. */
export const SYNC_LIMIT = 15 * 60_000;
/** Time limit of a cleanup operation that starts after the signal has aborted, in milliseconds. */
const GOODBYE = 20_000;

/**
 * Operations that exceeded their time limit and still have not returned, by directory. Each of them occupies
 * a thread of this process.
 */
const unanswered = new Map<string, Set<Promise<unknown>>>();

export class LocalFiles {
  constructor(
    private readonly directory: string,
    private readonly signal: AbortSignal,
    private readonly clock: Clock = systemClock,
    private readonly idleMs = runLimits().idleMs,
  ) {}

  /**
   * Performs one file operation and returns its result. Rejects with a `RunFailedError` if the operation
   * fails or exceeds its time limit. Rejects with the signal's reason if the signal aborts during the
   * operation.
   *
   * If an earlier operation on the directory has still not returned, rejects at once and does not start the
   * operation.
   *
   * @param action The operation, for error messages: `write to /srv/backups`.
   */
  async at<T>(action: string, work: () => Promise<T>, limitMs = this.idleMs): Promise<T> {
    if (unanswered.has(this.directory)) throw this.#silent(action);
    const isOver = this.signal.aborted;
    const limit = isOver ? Math.min(limitMs, GOODBYE) : limitMs;
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    const done = new AbortController();
    this.clock.sleep(limit, done.signal).then(() => reject(this.#silent(action, limit)), () => {});
    const abort = () => reject(this.signal.reason);
    if (!isOver) this.signal.addEventListener("abort", abort, { once: true });
    let isSettled = false;
    const working = atLocal(action, work).finally(() => isSettled = true);
    try {
      return await Promise.race([working, stopped]);
    } catch (error) {
      if (!isSettled) this.#keep(working);
      throw error;
    } finally {
      done.abort();
      this.signal.removeEventListener("abort", abort);
    }
  }

  /**
   * Closes a file. If earlier operations on the directory have not returned yet, waits for them and then
   * closes the file. Closing a file might write data and block the whole agent as long as the directory does
   * not respond.
   */
  close(file: Deno.FsFile): void {
    const stuck = unanswered.get(this.directory);
    if (stuck === undefined) return file.close();
    void Promise.allSettled(stuck).then(() => file.close());
  }

  /**
   * Waits for the operations on the directory that exceeded their time limit. Resolves when all of them have
   * returned, or after `limitMs` milliseconds.
   */
  async settled(limitMs: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.answered(), this.clock.sleep(limitMs, over.signal).catch(() => {})]);
    over.abort();
  }

  /**
   * Waits for the operations on the directory that exceeded their time limit. Resolves when all of them have
   * returned.
   */
  async answered(): Promise<void> {
    for (let stuck = unanswered.get(this.directory); stuck; stuck = unanswered.get(this.directory)) {
      await Promise.allSettled(stuck);
    }
  }

  /** Lists an operation as unanswered until it returns. */
  #keep(working: Promise<unknown>): void {
    const { directory } = this;
    const stuck = unanswered.get(directory) ?? new Set();
    unanswered.set(directory, stuck.add(working));
    const forget = () => {
      stuck.delete(working);
      if (stuck.size === 0) unanswered.delete(directory);
    };
    working.then(forget, forget);
  }

  #silent(action: string, ms?: number): RunFailedError {
    const time = ms === undefined ? "still does not answer" : `did not answer for ${ms / 1000} s`;
    return new RunFailedError(
      `Cannot ${action}: the file system ${time}. Check whether its server or disk is available. If it is gone, unmount it ` +
        `by force (umount -f -l).`,
    );
  }
}
