/**
 * Reads an object with HTTP range requests. After a lost connection, continues where the last response ended.
 */
import type { Clock } from "../../../src/domain/clock.ts";
import { RunFailedError } from "../ports.ts";
import { endsEarly } from "./object_name.ts";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;

/** The error of one failed attempt. `waits` is true if a later attempt might succeed. */
export class TryFailed extends Error {
  constructor(message: string, readonly waits: boolean) {
    super(message);
  }
}

/** The source from which an object's ranges are requested. */
export interface RangeSource {
  /** Description of the object for messages: `a.zst from bucket b`. */
  readonly what: string;
  /** Time without data after which the connection is given up, in milliseconds. */
  readonly idleMs: number;
  request(from: number, to: number, signal: AbortSignal): Promise<Response>;
  /**
   * Explains a response that does not contain the bytes from `from` to `to`. Returns a `TryFailed` if the
   * reader can request the bytes again. Returns a `RunFailedError` if the read must end.
   */
  explain(response: Response, from: number, to: number): Promise<TryFailed | RunFailedError>;
  /** Called after the second failed attempt in a row, with the reason of that failure. */
  waiting?(reason: string): void;
}

export class RangedReader {
  /**
   * Size of the whole object in bytes, from the latest response that contains it; null before the first one.
   */
  #total: number | null = null;

  /**
   * @param patienceMs How long failed attempts are repeated, in milliseconds. The time starts at the first
   *   failure, and starts anew after each new byte.
   */
  constructor(
    private readonly source: RangeSource,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
    private readonly patienceMs: number,
  ) {}

  /** Yields the bytes from `from` up to, but not including, `to`. */
  async *read(from: number, to: number): AsyncIterable<Uint8Array> {
    const { what } = this.source;
    let at = from;
    let failures = 0;
    let failingSince = 0;
    while (at < to) {
      try {
        for await (const chunk of this.#try(at, to)) {
          // Some servers send more bytes than requested.
          const wanted = chunk.subarray(0, to - at);
          at += wanted.length;
          failures = 0;
          yield wanted;
          if (at === to) return;
        }
        if (at === this.#total) throw endsEarly(what, at, to);
        throw new TryFailed("the connection was cut", true);
      } catch (error) {
        this.signal.throwIfAborted();
        if (!(error instanceof TryFailed)) throw error;
        if (failures++ === 0) failingSince = this.clock.monotonic();
        if (!error.waits || this.clock.monotonic() - failingSince >= this.patienceMs) {
          throw new RunFailedError(`Cannot read ${what}: ${error.message}`);
        }
        if (failures === 2) this.source.waiting?.(error.message);
        await this.clock.sleep(Math.min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT), this.signal);
      }
    }
  }

  /**
   * Returns the size of the object, taken from the response to a request for its first byte. HEAD is not
   * possible, because signed URLs allow GET only.
   */
  async size(): Promise<number> {
    try {
      for await (const _ of this.read(0, 1));
    } catch (error) {
      // Every range of an empty object is refused, but the refusal contains the size 0.
      if (this.#total !== 0) throw error;
    }
    if (this.#total !== null) return this.#total;
    throw new RunFailedError(`Cannot read ${this.source.what}: its size is unknown`);
  }

  async *#try(from: number, to: number): AsyncIterable<Uint8Array> {
    const idle = new AbortController();
    const watch = new IdleWatch(this.clock, this.source.idleMs, () => idle.abort());
    try {
      const response = await this.source.request(from, to, AbortSignal.any([this.signal, idle.signal]));
      const range = response.headers.get("content-range") ?? "";
      const total = /\/(\d+)$/.exec(range)?.[1];
      if (total !== undefined) this.#total = Number(total);
      if (response.status !== 206 || !range.startsWith(`bytes ${from}-`)) {
        throw await this.source.explain(response, from, to);
      }
      for await (const chunk of response.body!) {
        // The time that the consumer takes for a chunk does not count as silence.
        watch.pause();
        yield chunk;
        watch.resume();
      }
    } catch (error) {
      this.signal.throwIfAborted();
      if (error instanceof TryFailed || error instanceof RunFailedError) throw error;
      // Do not use the error's own text: it might contain the URL, and the URL might be a credential.
      const seconds = this.source.idleMs / 1000;
      throw new TryFailed(
        idle.signal.aborted ? `nothing came for ${seconds} s` : "the connection failed",
        true,
      );
    } finally {
      await watch.stop();
    }
  }
}

/**
 * Returns about the first `limit` bytes of a response's text. Cancels the rest, because the response might be
 * a whole object.
 */
export async function readSome({ body }: Response, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= limit) break;
  }
  return text;
}

/** Calls `expired` after `limit` milliseconds without data. Pauses do not count. */
class IdleWatch {
  #heardAt: number | null;
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;

  constructor(private readonly clock: Clock, private readonly limit: number, expired: () => void) {
    this.#heardAt = clock.monotonic();
    this.#watching = this.#watch(expired);
  }

  pause(): void {
    this.#heardAt = null;
  }

  resume(): void {
    this.#heardAt = this.clock.monotonic();
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  async #watch(expired: () => void): Promise<void> {
    while (!this.#over.signal.aborted) {
      const left = (this.#heardAt ?? this.clock.monotonic()) + this.limit - this.clock.monotonic();
      if (left <= 0) return expired();
      await this.clock.sleep(left, this.#over.signal).catch(() => {});
    }
  }
}
