/**
 * Provides `/metrics`, in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats,
 * 0.0.4).
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Clock } from "../domain/clock.ts";
import type { ServiceContext } from "../services/context.ts";
import { ageSince, collectMetrics, collectTaskSuccesses } from "../services/installation/metrics.ts";
import { processMetrics } from "../telemetry/process_metrics.ts";

/** Upper bounds of the histogram's buckets, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * The minimum interval between two queries of the database, in milliseconds. It limits the load, because
 * anyone can request `/metrics`.
 */
const QUERY_INTERVAL = 5_000;
/** The minimum interval between two queries that read every task, in milliseconds. */
const TASK_QUERY_INTERVAL = 60_000;

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"method" | "route" | "status">;
  readonly #durations: Histogram<"method" | "route">;

  constructor(services: ServiceContext) {
    const registers = [this.#registry];
    const { clock } = services;
    const statistics = cached(QUERY_INTERVAL, clock, () => collectMetrics(services));
    const successes = cached(TASK_QUERY_INTERVAL, clock, () => collectTaskSuccesses(services));
    const gauge = <Label extends string = never>(
      name: string,
      help: string,
      labelNames: Label[],
      read: (set: (value: number, labels?: Partial<Record<Label, string | number>>) => void) => Promise<void>,
    ) => {
      const made: Gauge<Label> = new Gauge({
        name: `rearguard_${name}`,
        help,
        labelNames,
        registers,
        async collect() {
          made.reset();
          await read((value, labels = {}) => made.set(labels, value));
        },
      });
    };
    gauge("runs", "Runs by kind and state.", ["kind", "state"], async (set) => {
      for (const { kind, state, count } of (await statistics()).runs) set(count, { kind, state });
    });
    gauge("remote_servers", "Remote servers.", [], async (set) => set((await statistics()).remoteServers));
    gauge("connected_agents", "Number of connected agents.", [], async (set) => {
      set((await statistics()).connectedAgents);
    });
    gauge("queue_age_seconds", "Waiting time of the oldest queued run.", [], async (set) => {
      set((await statistics()).queueAge);
    });
    gauge(
      "lease_age_seconds",
      "Time since the last message about a running run, for the run with the oldest one.",
      [],
      async (set) => {
        set((await statistics()).leaseAge);
      },
    );
    gauge("notification_deliveries", "Messages to notification streams by state.", ["state"], async (set) => {
      for (const { state, count } of (await statistics()).deliveries) set(count, { state });
    });
    gauge(
      "backup_task_last_success_age_seconds",
      "Time since a backup task that is not paused last stored a backup; if it never did, since it was created.",
      ["backup_task_id"],
      async (set) => {
        for (const { backup_task_id, since } of await successes()) {
          set(ageSince(clock, since), { backup_task_id });
        }
      },
    );
    gauge(
      "loop_age_seconds",
      "Time since each loop of this process last finished a step.",
      ["loop"],
      (set) => {
        for (const { name, seconds } of services.health.ages()) set(seconds, { loop: name });
        return Promise.resolve();
      },
    );
    this.#requests = new Counter({
      name: "rearguard_http_requests_total",
      help: "HTTP requests that this process has answered.",
      labelNames: ["method", "route", "status"],
      registers,
    });
    this.#durations = new Histogram({
      name: "rearguard_http_request_duration_seconds",
      help: "Time from an HTTP request to the head of its response.",
      labelNames: ["method", "route"],
      buckets: BUCKETS,
      registers,
    });
  }

  /**
   * Counts a response and its duration.
   *
   * @param route The endpoint's path, or `other`: never the path as sent, which would make unlimited labels.
   */
  observe(method: string, route: string, status: number, seconds: number): void {
    this.#requests.inc({ method, route, status });
    this.#durations.observe({ method, route }, seconds);
  }

  async text(): Promise<string> {
    return await Registry.merge([this.#registry, processMetrics]).metrics();
  }
}

/**
 * Returns a function that calls `query` and keeps its result for `ms` milliseconds. A failure is not kept.
 */
function cached<T>(ms: number, clock: Pick<Clock, "monotonic">, query: () => Promise<T>): () => Promise<T> {
  let last: Promise<T> | null = null;
  let at = 0;
  return () => {
    if (last !== null && clock.monotonic() - at < ms) return last;
    at = clock.monotonic();
    const pending = query();
    last = pending;
    pending.catch(() => last = null);
    return pending;
  };
}
