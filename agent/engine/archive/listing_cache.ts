/** Cache of the sorted listings of recently browsed backups, on the agent's disk. */
import type { Clock } from "../../../src/domain/clock.ts";
import type { SortedListing } from "./sorted_listing.ts";

/** Smaller indexes are read as fast as a listing is sorted. */
const KEPT_FROM = 512 * 1024;
/** Listings at the same time. */
const MAX_LISTINGS = 4;
/** A listing that nobody looked into for so long is removed. Milliseconds. */
const IDLE = 10 * 60_000;
/** For making one. Milliseconds. */
const PATIENCE = 15 * 60_000;

interface Kept {
  readonly directory: string;
  readonly listing: Promise<SortedListing>;
  /** Aborted when it is used again or removed. */
  idle: AbortController;
}

/** Makes a listing in an empty directory of its own. */
export type MakeListing = (directory: string, signal: AbortSignal) => Promise<SortedListing>;

export class ListingCache implements AsyncDisposable {
  /** The last used at the end. */
  readonly #kept = new Map<string, Kept>();
  #count = 0;

  /**
   * @param directory A private one for the listings; made when it is needed.
   * @param from Stored bytes of an index that is worth it.
   */
  constructor(
    private readonly directory: string,
    private readonly clock: Clock,
    readonly from: number = KEPT_FROM,
  ) {}

  /**
   * Returns the listing for a key. Concurrent callers share one build. The build continues when `signal`
   * aborts, so a retry finds it further along.
   *
   * @param key Identifies the index's bytes and the key that decrypts them.
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

  #begin(make: MakeListing): Kept {
    const directory = `${this.directory}/${++this.#count}`;
    const over = new AbortController();
    const build = async () => {
      this.clock.sleep(PATIENCE, over.signal).then(
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

  #restartIdle(key: string, kept: Kept): void {
    kept.idle.abort();
    kept.idle = new AbortController();
    this.clock.sleep(IDLE, kept.idle.signal).then(() => this.#discard(key), () => {});
  }

  #discard(key: string): void {
    // A listing that can't be removed now is removed with the agent's other work files at its next start.
    this.#remove(key).catch(() => {});
  }

  /** Whoever reads it has it open. One that is still being made is removed once it is. */
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
