/** Keeps the sorted listings of recently browsed backups on the agent's disk. */
import type { Clock } from "../../../src/domain/clock.ts";
import type { SortedListing } from "./sorted_listing.ts";

/**
 * Minimum size of an index whose sorted listing is kept, in stored bytes. To read a smaller index again takes
 * no longer than to sort it.
 */
const MIN_INDEX_BYTES = 512 * 1024;
/** Maximum number of listings that are kept. */
const MAX_LISTINGS = 4;
/** Time in milliseconds without use after which a listing is removed. */
const IDLE_MS = 10 * 60_000;
/** Time limit for building a listing, in milliseconds. */
const BUILD_TIMEOUT_MS = 15 * 60_000;

interface KeptListing {
  readonly directory: string;
  readonly listing: Promise<SortedListing>;
  /**
   * Aborting this ends the wait after which the listing is removed. It is aborted when the listing is used
   * again or removed.
   */
  idle: AbortController;
}

/** Writes a listing into an empty directory that is used for this listing only. */
export type MakeListing = (directory: string, signal: AbortSignal) => Promise<SortedListing>;

export class ListingCache implements AsyncDisposable {
  /** The listings by key. The listing that was used last is at the end. */
  readonly #kept = new Map<string, KeptListing>();
  #count = 0;

  /**
   * @param directory Private directory for the listings, created on first use.
   * @param from Minimum size of an index in stored bytes. Listings of smaller indexes are not kept.
   */
  constructor(
    private readonly directory: string,
    private readonly clock: Clock,
    readonly from: number = MIN_INDEX_BYTES,
  ) {}

  /**
   * Returns the listing for a key. Builds the listing if none is kept. Concurrent callers share one build. If
   * `signal` aborts, the build continues, so that a retry can use its result.
   *
   * @param key Key of the cache. Identifies the bytes of the index and the secret that decrypts them.
   */
  async open(key: string, make: MakeListing, signal: AbortSignal): Promise<SortedListing> {
    signal.throwIfAborted();
    const kept = this.#kept.get(key) ?? this.#begin(make);
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    this.#restartIdle(key, kept);
    for (const [oldest] of this.#kept) {
      if (this.#kept.size <= MAX_LISTINGS) break;
      this.#discard(oldest);
    }
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    try {
      return await Promise.race([kept.listing, aborted.promise]);
    } catch (error) {
      if (!signal.aborted) this.#discard(key);
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const key of [...this.#kept.keys()]) await this.#remove(key);
  }

  #begin(make: MakeListing): KeptListing {
    const directory = `${this.directory}/${++this.#count}`;
    const over = new AbortController();
    const build = async () => {
      this.clock.sleep(BUILD_TIMEOUT_MS, over.signal).then(
        () => over.abort(new Error("Cannot sort a listing: it takes too long")),
        () => {},
      );
      try {
        await Deno.mkdir(this.directory, { recursive: true, mode: 0o700 });
        await Deno.mkdir(directory, { mode: 0o700 });
        return await make(directory, over.signal);
      } finally {
        over.abort();
      }
    };
    const listing = build();
    listing.catch(() => {});
    return { directory, listing, idle: new AbortController() };
  }

  #restartIdle(key: string, kept: KeptListing): void {
    kept.idle.abort();
    kept.idle = new AbortController();
    this.clock.sleep(IDLE_MS, kept.idle.signal).then(() => this.#discard(key), () => {});
  }

  #discard(key: string): void {
    // Ignore a failure: the agent removes remaining listings with its other work files when it starts.
    this.#remove(key).catch(() => {});
  }

  /**
   * Removes a listing. If the listing is still being built, waits for the build first. Readers can go on,
   * because they keep the file open.
   */
  async #remove(key: string): Promise<void> {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    kept.idle.abort();
    await kept.listing.catch(() => {});
    await Deno.remove(kept.directory, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}
