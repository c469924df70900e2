/** Requests the signed URLs for an upload's parts in batches, so that a part rarely waits for its URL. */
import type { Clock } from "../../../../src/domain/clock.ts";
import { MAX_PARTS } from "../../../../src/domain/upload_parts.ts";
import { RunFailedError, type Uploads } from "../../ports.ts";

/**
 * Number of URLs in the first batch and in each further batch. The first batch is small, because most objects
 * have one part. Further batches are larger, because a large object should need few requests.
 */
const FIRST_BATCH = 2;
const BATCH = 20;
/**
 * Share of a URL's lifetime. The upload of a part must begin within this share. The rest of the lifetime is
 * for sending the part.
 */
const USABLE = 0.75;

export interface PartUrl {
  readonly url: string;
  /** Time of the monotonic clock when the URL was requested. */
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

  /** Returns an unexpired URL for the part. */
  async of(partNumber: number): Promise<PartUrl> {
    for (;;) {
      const known = this.#urls.get(partNumber);
      if (known !== undefined && this.clock.monotonic() < known.until) return known;
      await this.#sign(partNumber);
    }
  }

  /** Forgets the URLs that were signed at `signedAt` or earlier, because the bucket refused one of them. */
  forget(signedAt: number): void {
    for (const [partNumber, known] of this.#urls) {
      if (known.signedAt <= signedAt) this.#urls.delete(partNumber);
    }
  }

  done(partNumber: number): void {
    this.#urls.delete(partNumber);
  }

  /**
   * Requests a batch of URLs. Runs one request at a time, so that two parts that need URLs at the same time
   * share a batch.
   */
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
