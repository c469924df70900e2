/** What `/metrics` tells, in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats, 0.0.4). */
import type { Services } from "../services/context.ts";
import { collectStatistics, type Statistics } from "../services/statistics.ts";

/** Upper bounds in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Anyone may ask, so what costs the database is counted at most this often. Milliseconds. */
const COUNTED_EVERY = 5_000;

export class Metrics {
  /** By the label set, as written. */
  readonly #requests = new Map<string, number>();
  readonly #durations = new Map<string, { buckets: number[]; sum: number; count: number }>();
  #statistics: Promise<Statistics> | null = null;
  #countedAt = 0;

  constructor(readonly services: Services) {}

  /** @param route The endpoint's path, or `other`: never the path as sent, which has no bound. */
  observe(method: string, route: string, status: number, seconds: number): void {
    const labels = `method="${method}",route="${route}"`;
    const counted = `${labels},status="${status}"`;
    this.#requests.set(counted, (this.#requests.get(counted) ?? 0) + 1);
    let duration = this.#durations.get(labels);
    if (duration === undefined) {
      duration = { buckets: BUCKETS.map(() => 0), sum: 0, count: 0 };
      this.#durations.set(labels, duration);
    }
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound);
    if (bucket !== -1) duration.buckets[bucket]!++;
    duration.sum += seconds;
    duration.count++;
  }

  async text(): Promise<string> {
    const statistics = await this.#count();
    return [
      ...gauge("rearguard_runs", "Runs by kind and state.", [
        ...statistics.runs.map(({ kind, state, count }) =>
          [`kind="${kind}",state="${state}"`, count] as [string, number]
        ),
      ]),
      ...gauge("rearguard_remote_servers", "Remote servers.", [["", statistics.remoteServers]]),
      ...gauge("rearguard_connected_agents", "Agents whose socket is up.", [[
        "",
        statistics.connectedAgents,
      ]]),
      ...gauge("rearguard_queue_age_seconds", "How long the run that waits longest has waited.", [
        ["", statistics.queueAge],
      ]),
      ...this.#requestLines(),
      ...this.#durationLines(),
      "",
    ].join("\n");
  }

  #count(): Promise<Statistics> {
    const now = this.services.clock.monotonic();
    if (this.#statistics === null || now - this.#countedAt >= COUNTED_EVERY) {
      this.#countedAt = now;
      const statistics = collectStatistics(this.services);
      this.#statistics = statistics;
      statistics.catch(() => this.#statistics = null);
    }
    return this.#statistics;
  }

  #requestLines(): string[] {
    const name = "rearguard_http_requests_total";
    return [
      ...head(name, "counter", "HTTP requests answered by this process."),
      ...[...this.#requests].map(([labels, count]) => `${name}{${labels}} ${count}`),
    ];
  }

  #durationLines(): string[] {
    const name = "rearguard_http_request_duration_seconds";
    const lines = head(name, "histogram", "Time from an HTTP request to its answer's head.");
    for (const [labels, { buckets, sum, count }] of this.#durations) {
      let below = 0;
      buckets.forEach((own, index) => {
        below += own;
        lines.push(`${name}_bucket{${labels},le="${BUCKETS[index]}"} ${below}`);
      });
      lines.push(`${name}_bucket{${labels},le="+Inf"} ${count}`);
      lines.push(`${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`);
    }
    return lines;
  }
}

function head(name: string, type: string, text: string): string[] {
  return [`# HELP ${name} ${text}`, `# TYPE ${name} ${type}`];
}

function gauge(name: string, text: string, samples: [labels: string, value: number][]): string[] {
  return [
    ...head(name, "gauge", text),
    ...samples.map(([labels, value]) => `${name}${labels === "" ? "" : `{${labels}}`} ${value}`),
  ];
}
