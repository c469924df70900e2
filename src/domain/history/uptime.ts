/** Computes for which share of a time range an agent was connected. */

/** A time in which an agent was connected. */
export interface ConnectedInterval {
  readonly connectedAt: Date;
  /** Null if the agent is still connected. */
  readonly disconnectedAt: Date | null;
}

export interface Uptime {
  /**
   * Share of the recorded time in which the agent was connected, from 0 to 1; null if no time was recorded.
   */
  readonly total: number | null;
  /** Share of each day. */
  readonly days: readonly (number | null)[];
}

/**
 * Returns the shares of time in which an agent was connected.
 *
 * @param intervals Ordered by their beginning. No two of them overlap.
 * @param boundaries When each day begins, and when the last one ends.
 * @param since When the recording began; null if it never did. The time before it does not count.
 * @param now Nothing after this time counts.
 */
export function uptimeOf(
  intervals: readonly ConnectedInterval[],
  boundaries: readonly Date[],
  since: Date | null,
  now: Date,
): Uptime {
  const recordedFrom = since?.getTime() ?? Infinity;
  let [connected, recorded, first] = [0, 0, 0];
  const days = boundaries.slice(0, -1).map((day, index) => {
    const from = Math.max(day.getTime(), recordedFrom);
    const to = Math.min(boundaries[index + 1]!.getTime(), now.getTime());
    if (to <= from) return null;
    while (first < intervals.length && endOf(intervals[first]!, now) <= from) first++;
    let overlap = 0;
    for (let at = first; at < intervals.length && intervals[at]!.connectedAt.getTime() < to; at++) {
      const [begins, ends] = [intervals[at]!.connectedAt.getTime(), endOf(intervals[at]!, now)];
      overlap += Math.max(0, Math.min(ends, to) - Math.max(begins, from));
    }
    connected += overlap;
    recorded += to - from;
    return share(overlap, to - from);
  });
  return { total: recorded === 0 ? null : share(connected, recorded), days };
}

function endOf({ disconnectedAt }: ConnectedInterval, now: Date): number {
  return (disconnectedAt ?? now).getTime();
}

/** Returns the share with four decimals. It is 1 only if nothing is missing. */
function share(part: number, whole: number): number {
  const rounded = Math.round(part / whole * 1e4) / 1e4;
  return rounded === 1 && part < whole ? 0.9999 : rounded;
}
