/** Reads the metrics of the whole installation, for its operator. */
import type { Clock } from "../../domain/clock.ts";
import { DATABASE_METRICS, type DatabaseMetric, type MetricRow } from "../../store/installation/metrics.ts";
import type { ServiceContext } from "../context.ts";

/**
 * The minimum interval between two queries for a metric, in milliseconds. It limits the load, because anyone
 * can request `/metrics`.
 */
const QUERY_INTERVAL = 5_000;
/** The minimum interval between two queries that read every task, in milliseconds. */
const TASK_QUERY_INTERVAL = 60_000;

/** A value and its labels. */
export interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
}

export interface InstallationMetric extends Pick<DatabaseMetric, "name" | "help" | "labels"> {
  read(): Promise<Sample[]> | Sample[];
}

/** Returns the metrics that are read from the database. */
export function installationMetrics(services: ServiceContext): InstallationMetric[] {
  const { clock, database, runTimes } = services;
  return DATABASE_METRICS.map((metric) => {
    const interval = metric.readsTasks ? TASK_QUERY_INTERVAL : QUERY_INTERVAL;
    const rows = cached(interval, clock, () => metric.query(database, clock.now(), runTimes.lease));
    const labelsOf = (row: Record<string, unknown>) =>
      Object.fromEntries(metric.labels.map((name) => [name, row[name] as string | number]));
    return {
      ...metric,
      read: async () => (await rows()).map((row) => ({ value: valueOf(row, clock), labels: labelsOf(row) })),
    };
  });
}

function valueOf(row: MetricRow, clock: Pick<Clock, "now">): number {
  if ("value" in row) return row.value;
  return row.since === null ? 0 : Math.max(0, clock.now().getTime() - row.since.getTime()) / 1000;
}

/**
 * Returns a function that calls `query` and keeps its result for `ms` milliseconds. A failure is not kept.
 */
function cached<T>(
  ms: number,
  clock: Pick<Clock, "monotonic">,
  query: () => PromiseLike<T>,
): () => Promise<T> {
  let last: Promise<T> | null = null;
  let at = 0;
  return () => {
    if (last !== null && clock.monotonic() - at < ms) return last;
    at = clock.monotonic();
    const pending = (async () => await query())();
    last = pending;
    pending.catch(() => last = null);
    return pending;
  };
}
