/**
 * Tells open streams which kinds of records have changed. All streams of a process share one subscription of
 * the event bus and one timer, which exist only while a stream is open.
 */
import type { Owner } from "../../domain/access/owner.ts";
import type { Clock } from "../../domain/clock.ts";
import type { EventBus } from "../../store/database/event_bus.ts";
import { RECORD_KINDS, type RecordKind } from "../../store/database/record_kinds.ts";

export { RECORD_KINDS };

/**
 * A set of kinds of records. Each kind has one bit. The bits are in the order of {@link RECORD_KINDS}. The
 * set can also contain {@link ANY_KIND}.
 */
export type KindSet = number;

/**
 * The bit that stands for every kind. It is reported when notifications might have been missed, because then
 * records of any kind might have changed.
 */
export const ANY_KIND: KindSet = 1 << RECORD_KINDS.length;

/** Receives the changes for one stream. The methods must not throw. */
export interface Follower {
  /** Records of these kinds have changed. Each kind is reported at most once a second. */
  changed(kinds: KindSet): void;
  /** A second has passed. */
  tick(): void;
  /** The process stops. */
  stop(): void;
}

/** Shortest time between two reports of the same kind to a stream, in milliseconds. */
const INTERVAL = 1000;
/**
 * Maximum number of streams to which changes are reported in one interval. A page that gets a report sends
 * requests, so this also limits the number of requests. The remaining streams get their reports in the next
 * intervals, in turn.
 */
const MOST_REPORTS = 100;
/**
 * If an interval ends late by more than this, in milliseconds, the process is too busy. The maximum number of
 * reports is then halved for the next interval. Otherwise, the maximum is raised by `MORE_REPORTS`, up to
 * `MOST_REPORTS`.
 */
const LATE = 100;
const MORE_REPORTS = 10;

interface Subscription {
  readonly follower: Follower;
  /** Kinds that must not be reported before the next tick. */
  blocked: KindSet;
  /** Kinds that were reported since the last tick. Each of them is also in `blocked`. */
  fresh: KindSet;
  /** Kinds that have changed, and are not reported yet. */
  pending: KindSet;
}

export class LiveChanges {
  /** The open streams of each workspace and of each user. */
  readonly #audiences = new Map<string, Set<Subscription>>();
  readonly #all = new Set<Subscription>();
  /** The streams with changes that are not reported yet, the longest waiting first. */
  readonly #waiting = new Set<Subscription>();
  /** Maximum number of reports in the current interval, and how many of these reports are left. */
  #limit = MOST_REPORTS;
  #left = MOST_REPORTS;
  /** Ends the subscription of the event bus and the timer; null while no stream is open. */
  #end: (() => void) | null = null;
  /** Changes that are reported at the end of the current task of the event loop, by audience. */
  #changed = new Map<string, KindSet>();

  constructor(private readonly bus: EventBus, private readonly clock: Clock) {}

  /** The number of open streams. */
  get size(): number {
    return this.#all.size;
  }

  /** Reports changes in the workspace and in the user's account, until the returned function is called. */
  follow({ workspaceId, userId }: Owner, follower: Follower): () => void {
    const subscription = { follower, blocked: 0, fresh: 0, pending: 0 };
    const audiences = [`workspace ${workspaceId}`, `user ${userId}`];
    this.#all.add(subscription);
    for (const audience of audiences) {
      const members = this.#audiences.get(audience);
      if (members === undefined) this.#audiences.set(audience, new Set([subscription]));
      else members.add(subscription);
    }
    this.#end ??= this.#begin();
    return () => {
      if (!this.#all.delete(subscription)) return;
      this.#waiting.delete(subscription);
      for (const audience of audiences) {
        const members = this.#audiences.get(audience)!;
        members.delete(subscription);
        if (members.size === 0) this.#audiences.delete(audience);
      }
      if (this.#all.size > 0) return;
      this.#end?.();
      this.#end = null;
    };
  }

  /** Ends every open stream. */
  stop(): void {
    for (const { follower } of [...this.#all]) follower.stop();
  }

  #begin(): () => void {
    const over = new AbortController();
    const unsubscribe = this.bus.subscribe((notification) => {
      if (notification.topic === "reconnected") {
        this.#collect(EVERYBODY, ANY_KIND);
      } else if (notification.topic === "records_changed") {
        const { workspace_id, user_id } = notification;
        const audience = workspace_id !== undefined
          ? `workspace ${workspace_id}`
          : user_id !== undefined
          ? `user ${user_id}`
          : EVERYBODY;
        this.#collect(audience, bitOf(notification.kind));
      }
    });
    void this.#tick(over.signal);
    return () => {
      over.abort();
      unsubscribe();
    };
  }

  /**
   * Notes a change. Changes that arrive together are reported together. The notifications of one transaction
   * arrive together.
   */
  #collect(audience: string, kind: KindSet): void {
    if (audience !== EVERYBODY && !this.#audiences.has(audience)) return;
    if (this.#changed.size === 0) queueMicrotask(() => this.#report());
    this.#changed.set(audience, (this.#changed.get(audience) ?? 0) | kind);
  }

  #report(): void {
    const changed = this.#changed;
    this.#changed = new Map();
    for (const [audience, kinds] of changed) {
      const members = audience === EVERYBODY ? this.#all : this.#audiences.get(audience) ?? [];
      for (const subscription of [...members]) {
        subscription.pending |= kinds;
        if (!this.#reportTo(subscription)) this.#waiting.add(subscription);
      }
    }
  }

  /** Reports the pending kinds that are not blocked. Then returns whether no kind is pending any more. */
  #reportTo(subscription: Subscription): boolean {
    const due = subscription.pending & ~subscription.blocked;
    if (due === 0 || this.#left === 0) return subscription.pending === 0;
    this.#left--;
    subscription.pending &= ~due;
    subscription.blocked |= due;
    subscription.fresh |= due;
    subscription.follower.changed(due);
    return subscription.pending === 0;
  }

  async #tick(signal: AbortSignal): Promise<void> {
    for (;;) {
      const start = this.clock.monotonic();
      await this.clock.sleep(INTERVAL, signal).catch(() => {});
      if (signal.aborted) return;
      const isLate = this.clock.monotonic() - start > INTERVAL + LATE;
      this.#limit = isLate ? Math.ceil(this.#limit / 2) : Math.min(this.#limit + MORE_REPORTS, MOST_REPORTS);
      this.#left = this.#limit;
      // A kind that was reported since the last tick is blocked until the next tick. Otherwise two reports of
      // a kind could follow each other in less than a full interval.
      for (const subscription of this.#all) {
        subscription.blocked = subscription.fresh;
        subscription.fresh = 0;
      }
      for (const subscription of [...this.#waiting]) {
        this.#waiting.delete(subscription);
        if (!this.#reportTo(subscription)) this.#waiting.add(subscription);
        // The kinds that were just reported are blocked until the next tick. The next tick is a full interval
        // away, so it does not need to block them again.
        subscription.fresh = 0;
      }
      for (const { follower } of [...this.#all]) follower.tick();
    }
  }
}

const EVERYBODY = "everybody";

function bitOf(kind: RecordKind): KindSet {
  const index = RECORD_KINDS.indexOf(kind);
  // The triggers of a newer schema might notify of a kind that this version does not know. Such a kind has no
  // bit.
  return index === -1 ? 0 : 1 << index;
}

/** Returns the kinds in a set. */
export function kindsIn(set: KindSet): RecordKind[] {
  return RECORD_KINDS.filter((kind) => (set & bitOf(kind)) !== 0);
}
