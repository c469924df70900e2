/**
 * The database's time. Every control plane uses it as its clock. Replicas compare times that other replicas
 * have stored: leases, deadlines, due times and heartbeats. With a common clock, differences between the
 * machines' clocks do not matter.
 */
import { type Clock, systemClock } from "../../domain/clock.ts";
import { logger } from "../../telemetry/logging.ts";
import type { Database } from "./sql.ts";

/**
 * Interval between two readings of the database's time, in milliseconds. After the machine was suspended, the
 * time is wrong until the next reading.
 */
const INTERVAL = 1_000;
/**
 * A warning is logged if the machine's clock and the database's clock differ by more than this, in
 * milliseconds. The difference matters because S3 and TLS use the machine's clock.
 */
const NOTABLE = 5_000;

/**
 * A clock that shows the database's time. It reads that time at intervals. Between two readings, it advances
 * with the machine's monotonic clock, because nobody can set a monotonic clock.
 */
export class DatabaseClock implements Clock, Disposable {
  /** The database's time minus the monotonic time, in milliseconds. */
  #offset: number;
  #warnedOf = 0;
  readonly #stopping = new AbortController();

  private constructor(private readonly read: () => Promise<number>, private readonly machine: Clock) {
    this.#offset = machine.now().getTime() - machine.monotonic();
  }

  /** Reads the database's time once, then returns a clock that follows it. */
  static async follow(database: Database, machine: Clock = systemClock): Promise<DatabaseClock> {
    return await DatabaseClock.following(() => readTime(database), machine);
  }

  /**
   * Reads the time once, then returns a clock that follows it.
   *
   * @param read Reads the database's time, in milliseconds since 1970.
   */
  static async following(read: () => Promise<number>, machine: Clock): Promise<DatabaseClock> {
    const clock = new DatabaseClock(read, machine);
    await clock.#adjust();
    void clock.#keepAdjusting();
    return clock;
  }

  now(): Date {
    return new Date(this.#offset + this.machine.monotonic());
  }

  monotonic(): number {
    return this.machine.monotonic();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.machine.sleep(ms, signal);
  }

  [Symbol.dispose](): void {
    this.#stopping.abort();
  }

  async #keepAdjusting(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await this.machine.sleep(INTERVAL, signal).catch(() => {});
      if (signal.aborted) return;
      // Other queries of the database report an outage. Meanwhile, the clock goes on without readings.
      await this.#adjust().catch((error) => log.debug("Cannot read the database's time: {error}", { error }));
    }
  }

  /**
   * Reads the database's time, and adjusts the offset. The database read its clock at an unknown moment
   * between request and response. This gives the offset a lower and an upper bound. An offset between the
   * bounds is kept. Any other offset is replaced by the nearer bound. The bounds of a slow response are far
   * apart, so it normally changes nothing.
   */
  async #adjust(): Promise<void> {
    const sentAt = this.machine.monotonic();
    const time = await this.read();
    const least = time - this.machine.monotonic();
    const most = time - sentAt;
    this.#offset = Math.min(Math.max(this.#offset, least), most);
    this.#compare();
  }

  /**
   * Logs a warning if the machine's clock differs from the database's. Warns again only if the difference has
   * changed notably. Also logs when the clocks agree again.
   */
  #compare(): void {
    const ahead = this.machine.now().getTime() - this.now().getTime();
    const isNews = Math.abs(ahead - this.#warnedOf) > NOTABLE;
    if (!isNews) return;
    this.#warnedOf = Math.abs(ahead) > NOTABLE ? ahead : 0;
    if (this.#warnedOf === 0) {
      log.info("This machine's clock and the database's agree again");
      return;
    }
    log.warn(
      "This machine's clock is {seconds} s {side} the database's, which counts. Check that both machines keep time (NTP)",
      { seconds: Math.round(Math.abs(ahead) / 1000), side: ahead > 0 ? "ahead of" : "behind" },
    );
  }
}

async function readTime(database: Database): Promise<number> {
  const [row] = await database<{ time: number }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::double precision as time`;
  return row!.time;
}

const log = logger("clock");
