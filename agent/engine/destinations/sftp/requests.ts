/**
 * Sends requests on one SSH connection. A request ends when the server responds, when the connection ends, or
 * when the server was silent for too long.
 */
import type { Client } from "ssh2";
import type { Clock } from "../../../../src/domain/clock.ts";

/** Maximum silence of the server during cleanup, in milliseconds. */
const GOODBYE = 5_000;

export type Done<T> = (error: Error | undefined | null, result?: T) => void;

/**
 * The connection ended before the response came, or the agent closed the connection because the server was
 * silent.
 */
export class ConnectionLostError extends Error {}

interface Pending {
  readonly limitMs: number;
  reject(error: unknown): void;
}

export class SftpRequests {
  /** The reason why the connection was lost; null while the connection is open. */
  #lost: string | null = null;
  readonly #pending = new Set<Pending>();
  #heardAt = 0;
  readonly #closed = new AbortController();
  #begun = Promise.withResolvers<void>();

  /**
   * @param idleMs Time in milliseconds. If requests are pending and no response comes for this long, the
   *   connection is closed.
   */
  constructor(
    private readonly client: Client,
    private readonly clock: Clock,
    private readonly idleMs: number,
    private readonly signal: AbortSignal,
  ) {
    const abort = () => this.#rejectAll(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    client.on("error", () => this.lose());
    client.on("close", () => {
      signal.removeEventListener("abort", abort);
      this.lose();
    });
    void this.#watchSilence();
  }

  get isLost(): boolean {
    return this.#lost !== null;
  }

  get reason(): string {
    return this.#lost ?? "the connection was lost";
  }

  lose(reason = "the connection was lost"): void {
    this.#lost ??= reason;
    this.#closed.abort();
    this.#begun.resolve();
    this.#rejectAll(new ConnectionLostError(this.#lost));
  }

  /**
   * Starts a request and returns its result. If the request fails, rejects with its error. If the connection
   * ends, rejects with a {@link ConnectionLostError}. If the signal aborts before the response,
   * rejects with the signal's reason.
   *
   * A request that starts after the signal has aborted is part of the cleanup. It has a shorter time limit.
   *
   * @param limitMs Maximum time of the request without any response from the server, in milliseconds.
   */
  send<T>(start: (done: Done<T>) => void, limitMs = this.idleMs): Promise<T> {
    if (this.isLost) return Promise.reject(new ConnectionLostError(this.reason));
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const pending = { limitMs, reject };
    if (this.#pending.size === 0) this.#heardAt = this.clock.monotonic();
    this.#pending.add(pending);
    this.#begun.resolve();
    const done: Done<T> = (error, result) => {
      this.#heardAt = this.clock.monotonic();
      this.#pending.delete(pending);
      if (error) reject(this.isLost ? new ConnectionLostError(this.reason) : error);
      else resolve(result as T);
    };
    try {
      start(done);
    } catch (error) {
      // ssh2 throws if the connection has just ended, or if the server lacks an extension.
      if ((error as Error).message === "Not connected") this.lose();
      done(error as Error);
    }
    return promise;
  }

  #rejectAll(error: unknown): void {
    for (const { reject } of this.#pending) reject(error);
    this.#pending.clear();
  }

  /** Ends the connection if requests are pending and no response has come in time. */
  async #watchSilence(): Promise<void> {
    const over = this.#closed.signal;
    const overOrAborted = AbortSignal.any([over, this.signal]);
    while (!this.isLost) {
      if (this.#pending.size === 0) {
        this.#begun = Promise.withResolvers();
        await this.#begun.promise;
        continue;
      }
      const isAborted = this.signal.aborted;
      const longest = Math.max(...[...this.#pending].map(({ limitMs }) => limitMs));
      const limit = isAborted ? Math.min(longest, GOODBYE) : longest;
      const left = this.#heardAt + limit - this.clock.monotonic();
      if (left <= 0) {
        this.lose(`the server was silent for ${limit / 1000} s`);
        this.client.destroy();
        return;
      }
      await this.clock.sleep(left, isAborted ? over : overOrAborted).catch(() => {});
    }
  }
}
