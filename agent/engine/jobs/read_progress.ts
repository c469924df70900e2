/**
 * Reports the progress of a run that reads a backup: stats to the control plane once a second, lines to the
 * run's output less often.
 */
import type { RunPorts } from "../ports.ts";
import { formatBytes } from "../../../src/domain/byte_size.ts";
import { formatSeconds } from "./progress.ts";

const INTERVAL_MS = 1000;
/**
 * Length of a run's first phase in milliseconds. In this phase, a line is written every second. After it, a
 * line is written every `LINE_INTERVALS` seconds.
 */
const FREQUENT_LINES_MS = 60_000;
const LINE_INTERVALS = 10;

export class ReadProgress {
  /** Number of stored bytes that the run will read in total; null while it is unknown. */
  total: number | null = null;

  constructor(private readonly ports: RunPorts, private readonly objects: { readonly bytesRead: number }) {}

  /** Reports every second until the signal aborts. */
  async report(signal: AbortSignal): Promise<void> {
    const { clock } = this.ports;
    const startedAt = clock.monotonic();
    let before = 0;
    for (let interval = 1;; interval++) {
      await clock.sleep(INTERVAL_MS, signal).catch(() => {});
      if (signal.aborted) return;
      const { bytesRead } = this.objects;
      const elapsed = clock.monotonic() - startedAt;
      const rate = Math.round(bytesRead * 1000 / elapsed);
      const left = (this.total ?? 0) - bytesRead;
      const eta = left > 0 && rate > 0 ? Math.ceil(left / rate) : null;
      this.ports.progress({
        bytes_read: bytesRead,
        bytes_written: 0,
        files_count: null,
        bytes_per_second: rate,
        eta_seconds: eta,
      });
      const withLine = elapsed < FREQUENT_LINES_MS || interval % LINE_INTERVALS === 0;
      if (withLine && bytesRead !== before) {
        this.ports.output.line(describe(bytesRead, this.total, rate, eta));
      }
      before = bytesRead;
    }
  }
}

function describe(bytes: number, total: number | null, rate: number, eta: number | null): string {
  const of = total === null ? "" : ` of ${formatBytes(total)}`;
  const left = eta === null ? "" : `, about ${formatSeconds(eta)} left`;
  return `Progress: ${formatBytes(bytes)}${of} read, ${formatBytes(rate)}/s${left}`;
}
