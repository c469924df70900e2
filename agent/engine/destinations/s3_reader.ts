/** An object of a bucket by signed URLs, asked for anew where one runs out, and read on where a connection is cut. */
import type { Clock } from "../../../src/domain/clock.ts";
import { type Downloads, ObjectMissingError, RunFailedError } from "../ports.ts";
import { endsEarly } from "./object_name.ts";

/** Without a byte more; a connection that moves nothing for so long is given up. */
const TRIES = 6;
const IDLE_MS = 60_000;
const FIRST_WAIT = 500;
/** Of a URL's life. */
const USABLE = 0.75;

export interface S3ReaderPorts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly downloads: Downloads;
}

/** What ends one try: `waits` where the same may go through later. */
class TryFailed extends Error {
  constructor(message: string, readonly waits: boolean) {
    super(message);
  }
}

export class S3Reader {
  #signed: { url: string; until: number } | null = null;
  /** Bytes of the whole object, as the newest answer tells. */
  #total: number | null = null;

  /** @param place For messages: `bucket b`. */
  constructor(
    private readonly name: string,
    private readonly place: string,
    private readonly ports: S3ReaderPorts,
  ) {}

  /** The bytes [from, to), in order. */
  async *read(from: number, to: number): AsyncIterable<Uint8Array> {
    let at = from;
    let failures = 0;
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
        if (at < to) throw new TryFailed("the connection was cut", true);
      } catch (error) {
        this.ports.signal.throwIfAborted();
        if (!(error instanceof TryFailed)) throw error;
        if (!error.waits || ++failures === TRIES) {
          throw new RunFailedError(`Cannot read ${this.name} from ${this.place}: ${error.message}`);
        }
        await this.ports.clock.sleep(FIRST_WAIT * 2 ** (failures - 1), this.ports.signal);
      }
    }
  }

  /** A signed URL is for GET alone: the first byte's answer tells how many there are. */
  async size(): Promise<number> {
    try {
      for await (const _ of this.read(0, 1));
    } catch (error) {
      // Nothing can be asked of an object that holds nothing.
      if (this.#total !== 0) throw error;
    }
    if (this.#total !== null) return this.#total;
    throw new RunFailedError(`Cannot read ${this.name} from ${this.place}: it does not tell its size`);
  }

  async *#try(from: number, to: number): AsyncIterable<Uint8Array> {
    const { clock, signal } = this.ports;
    const url = await this.#url();
    const idle = new AbortController();
    let heardAt = clock.monotonic();
    const over = new AbortController();
    const watch = watchIdle(clock, () => heardAt, over.signal, () => idle.abort());
    try {
      const response = await fetch(url, {
        headers: { range: `bytes=${from}-${to - 1}` },
        signal: AbortSignal.any([signal, idle.signal]),
      });
      const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
      if (total !== undefined) this.#total = Number(total);
      const starts = response.headers.get("content-range")?.startsWith(`bytes ${from}-`);
      if (response.status !== 206 || !starts) await this.#refuse(response, from, to);
      for await (const chunk of response.body!) {
        heardAt = clock.monotonic();
        yield chunk;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof TryFailed || error instanceof RunFailedError) throw error;
      // The error's own text holds the URL, which is a credential.
      throw new TryFailed(
        idle.signal.aborted ? `nothing came for ${IDLE_MS / 1000} s` : "the connection failed",
        true,
      );
    } finally {
      over.abort();
      await watch;
    }
  }

  async #refuse(response: Response, from: number, to: number): Promise<never> {
    const { status } = response;
    const code = /<Code>([^<]{1,100})<\/Code>/.exec((await response.text()).slice(0, 64 * 1024))?.[1];
    if (status === 416) throw endsEarly(`${this.name} from ${this.place}`, from, to);
    if (status === 404 && code === "NoSuchKey") {
      throw new ObjectMissingError(
        `Cannot read ${this.name} from ${this.place}: it is not there. It was deleted or moved away.`,
      );
    }
    if (status === 404) throw new TryFailed("it is not there. It was deleted or moved away.", false);
    // Run out, or signed with keys that were changed since.
    if (status === 403) this.#signed = null;
    const waits = status === 403 || status === 429 || status >= 500;
    throw new TryFailed(`it answers ${status}${code === undefined ? "" : ` ${code}`}`, waits);
  }

  async #url(): Promise<string> {
    const { clock, downloads, signal } = this.ports;
    if (this.#signed === null || clock.monotonic() >= this.#signed.until) {
      const signedAt = clock.monotonic();
      const { url, expiresInMs } = await downloads.sign(this.name, signal);
      this.#signed = { url, until: signedAt + expiresInMs * USABLE };
    }
    return this.#signed.url;
  }
}

async function watchIdle(
  clock: Clock,
  heardAt: () => number,
  signal: AbortSignal,
  expired: () => void,
): Promise<void> {
  while (!signal.aborted) {
    const left = heardAt() + IDLE_MS - clock.monotonic();
    if (left <= 0) return expired();
    await clock.sleep(left, signal).catch(() => {});
  }
}
