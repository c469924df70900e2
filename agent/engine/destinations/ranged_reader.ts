/** An object read by HTTP requests for ranges of it, and read on where a connection is cut. */
import type { Clock } from "../../../src/domain/clock.ts";
import { RunFailedError } from "../ports.ts";
import { endsEarly } from "./object_name.ts";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;

/** What ends one try: `waits` where the same may go through later. */
export class TryFailed extends Error {
  constructor(message: string, readonly waits: boolean) {
    super(message);
  }
}

/** Where the ranges come from. */
export interface RangeSource {
  /** What can't be read, for messages: `a.zst from bucket b`. */
  readonly what: string;
  /** A connection that moves nothing for so long, while more is waited for, is given up. Milliseconds. */
  readonly idleMs: number;
  request(from: number, to: number, signal: AbortSignal): Promise<Response>;
  /** What an answer means that is not the bytes [from, to): a `TryFailed`, or what ends the reading. */
  explain(response: Response, from: number, to: number): Promise<TryFailed | RunFailedError>;
  /** Told once, when what moved before does not any more and is asked for again. */
  waiting?(reason: string): void;
}

export class RangedReader {
  /** Bytes of the whole object, as the newest answer tells. */
  #total: number | null = null;

  /** @param patienceMs How long a read is retried without receiving another byte. */
  constructor(
    private readonly source: RangeSource,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
    private readonly patienceMs: number,
  ) {}

  /** The bytes [from, to), in order. */
  async *read(from: number, to: number): AsyncIterable<Uint8Array> {
    const { what } = this.source;
    let at = from;
    let failures = 0;
    let failingSince = 0;
    while (at < to) {
      try {
        for await (const chunk of this.#try(at, to)) {
          // Some servers send more than they were asked for.
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

  /** Only reading is allowed: the first byte's answer tells how many there are. */
  async size(): Promise<number> {
    try {
      for await (const _ of this.read(0, 1));
    } catch (error) {
      // Nothing can be asked of an object that holds nothing.
      if (this.#total !== 0) throw error;
    }
    if (this.#total !== null) return this.#total;
    throw new RunFailedError(`Cannot read ${this.source.what}: it does not tell its size`);
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
        // Whoever takes the bytes may take their time.
        watch.pause();
        yield chunk;
        watch.resume();
      }
    } catch (error) {
      this.signal.throwIfAborted();
      if (error instanceof TryFailed || error instanceof RunFailedError) throw error;
      // The error's own text may hold the URL, which may be a credential.
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
 * Returns the beginning of a response's text, about `limit` bytes, and ends the response: it may be a whole
 * object.
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

/** Calls `expired` once nothing was heard for `limit` milliseconds that were not paused. */
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
