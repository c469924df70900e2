/**
 * Provides `/metrics`, in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats,
 * 0.0.4).
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ServiceContext } from "../services/context.ts";
import { type InstallationMetric, installationMetrics } from "../services/installation/metrics.ts";
import { processMetrics } from "../telemetry/process_metrics.ts";

/** Upper bounds of the histogram's buckets, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"method" | "route" | "status">;
  readonly #durations: Histogram<"method" | "route">;

  constructor(services: ServiceContext) {
    const registers = [this.#registry];
    const gauge = ({ name, help, labels, read }: InstallationMetric) => {
      new Gauge({
        name: `rearguard_${name}`,
        help,
        labelNames: labels,
        registers,
        async collect() {
          const samples = await read();
          this.reset();
          for (const { value, labels } of samples) this.set(labels, value);
        },
      });
    };
    installationMetrics(services).forEach(gauge);
    gauge({
      name: "loop_age_seconds",
      help: "Time since each loop of this process last finished a step.",
      labels: ["loop"],
      read: () =>
        services.health.ages().map(({ name, seconds }) => ({ value: seconds, labels: { loop: name } })),
    });
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
   * @param route The endpoint's path, or `other`. Must not be the path that the client sent, because clients
   *   could then create any number of labels.
   */
  observe(method: string, route: string, status: number, seconds: number): void {
    this.#requests.inc({ method, route, status });
    this.#durations.observe({ method, route }, seconds);
  }

  async text(): Promise<string> {
    return await Registry.merge([this.#registry, processMetrics]).metrics();
  }
}
