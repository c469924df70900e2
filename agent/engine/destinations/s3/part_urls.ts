/** Requests signed URLs of an upload's parts in batches, so that parts rarely wait for one. */
import type { Clock } from "../../../../src/domain/clock.ts";
import { MAX_PARTS } from "../../../../src/domain/upload_parts.ts";
import { RunFailedError, type Uploads } from "../../ports.ts";

/** Most objects have one part; a large one should need few requests. */
const FIRST_BATCH = 2;
const BATCH = 20;
/** Part of a URL's lifetime during which it is used: a part that takes long must begin before the expiry. */
const USABLE = 0.75;

export interface PartUrl {
  readonly url: string;
  /** Time of the monotonic clock. */
  readonly signedAt: number;
}

export class PartUrls {
  readonly #urls = new Map<number, PartUrl & { until: number }>();
  #signing: Promise<void> = Promise.resolve();

  constructor(
    private readonly uploads: Uploads,
    private readonly uploadId: string,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
  ) {}

  /** Returns a URL that has not expired. */
  async of(partNumber: number): Promise<PartUrl> {
    for (;;) {
      const known = this.#urls.get(partNumber);
      if (known !== undefined && this.clock.monotonic() < known.until) return known;
      await this.#sign(partNumber);
    }
  }

  /** Drops the URLs that were signed at that time or earlier, because the bucket refuses one of them. */
  forget(signedAt: number): void {
    for (const [partNumber, known] of this.#urls) {
      if (known.signedAt <= signedAt) this.#urls.delete(partNumber);
    }
  }

  done(partNumber: number): void {
    this.#urls.delete(partNumber);
  }

  /** Sends one request at a time: two parts that need URLs at the same time share a batch. */
  #sign(partNumber: number): Promise<void> {
    const before = this.#signing;
    const next = (async () => {
      await before.catch(() => {});
      const known = this.#urls.get(partNumber);
      if (known !== undefined && this.clock.monotonic() < known.until) return;
      const count = Math.min(partNumber === 1 ? FIRST_BATCH : BATCH, MAX_PARTS - partNumber + 1);
      const signedAt = this.clock.monotonic();
      const { urls, expiresInMs } = await this.uploads.sign(this.uploadId, partNumber, count, this.signal);
      for (const one of urls) {
        this.#urls.set(one.partNumber, { url: one.url, signedAt, until: signedAt + expiresInMs * USABLE });
      }
      if (!this.#urls.has(partNumber)) {
        throw new RunFailedError(
          `Cannot upload: the control plane signed other parts than part ${partNumber}`,
        );
      }
    })();
    this.#signing = next;
    return next;
  }
}
