/**
 * Reports a backup's progress: stats to the control plane once a second, lines to the run's output less
 * often.
 */
import { formatBytes } from "../../../src/domain/byte_size.ts";
import type { BackupJob } from "../../../src/protocol/job.ts";
import type { RunPorts } from "../ports.ts";
import { LineCount } from "../programs/line_count.ts";

const INTERVAL_MS = 1000;
/**
 * Length of a run's first phase in milliseconds. In this phase, progress is written to the output every
 * second. After this phase, it is written every `LINE_INTERVALS` seconds.
 */
const FREQUENT_LINES_MS = 60_000;
const LINE_INTERVALS = 10;
/** Number of recent reports that the rate is calculated from. */
const WINDOW = 5;

/** The part of the source that is being read. */
export interface Reading {
  /** Process id of the program that reads the uncompressed bytes. */
  pid: number;
  /** The index that is written while the source is read; null if the source writes no index. */
  index: LineCount | null;
}

export class Progress {
  /** Number of bytes of all objects that were written to the destination. */
  bytesWritten = 0;
  readonly #startedAt: number;
  readonly #window: { at: number; bytes: number }[] = [];
  /** Number of uncompressed bytes of the completed parts. */
  #bytesBefore = 0;
  #reading: Reading | null = null;
  #bytesNow = 0;

  constructor(private readonly ports: RunPorts, private readonly last: BackupJob["last"]) {
    this.#startedAt = ports.clock.monotonic();
  }

  begin(reading: Reading): void {
    this.#reading = reading;
    this.#bytesNow = 0;
  }

  /**
   * Ends the current part.
   * @param bytes The part's total uncompressed bytes.
   */
  finish(bytes: number): void {
    this.#reading = null;
    this.#bytesNow = 0;
    this.#bytesBefore += bytes;
  }

  get bytesRead(): number {
    return this.#bytesBefore + this.#bytesNow;
  }

  /** Reports every second until the signal aborts. */
  async report(signal: AbortSignal): Promise<void> {
    const { clock } = this.ports;
    for (let interval = 1;; interval++) {
      await clock.sleep(INTERVAL_MS, signal).catch(() => {});
      if (signal.aborted) return;
      const isFrequent = clock.monotonic() - this.#startedAt < FREQUENT_LINES_MS;
      if (this.#reading !== null) {
        await this.#sample(this.#reading, isFrequent || interval % LINE_INTERVALS === 0);
      }
    }
  }

  async #sample(reading: Reading, withLine: boolean): Promise<void> {
    const bytes = await bytesReadBy(reading.pid);
    await reading.index?.update();
    // Report nothing if the part ended in the meantime.
    if (this.#reading !== reading) return;
    if (bytes !== null) this.#bytesNow = bytes;
    const stats = {
      bytes_read: this.bytesRead,
      bytes_written: this.bytesWritten,
      files_count: reading.index?.count ?? null,
      ...this.#speed(),
    };
    this.ports.progress(stats);
    if (withLine) this.ports.output.line(describe(stats));
  }

  #speed(): { bytes_per_second: number; eta_seconds: number | null } {
    const now = { at: this.ports.clock.monotonic(), bytes: this.bytesRead };
    const first = this.#window.at(0) ?? { at: this.#startedAt, bytes: 0 };
    this.#window.push(now);
    if (this.#window.length > WINDOW) this.#window.shift();
    const seconds = Math.max(now.at - first.at, 1) / 1000;
    const rate = Math.round(Math.max(now.bytes - first.bytes, 0) / seconds);
    const left = (this.last?.bytes_read ?? 0) - now.bytes;
    return { bytes_per_second: rate, eta_seconds: left > 0 && rate > 0 ? Math.ceil(left / rate) : null };
  }
}

type ProgressStats = Parameters<RunPorts["progress"]>[0];

function describe(stats: ProgressStats): string {
  const { bytes_read, bytes_written, files_count, bytes_per_second, eta_seconds } = stats;
  const parts = [
    `${formatBytes(bytes_read)} read`,
    `${formatBytes(bytes_written)} written`,
    ...(files_count === null ? [] : [`${files_count} files`]),
    `${formatBytes(bytes_per_second)}/s`,
    ...(eta_seconds === null ? [] : [`about ${formatSeconds(eta_seconds)} left`]),
  ];
  return `Progress: ${parts.join(", ")}`;
}

export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * Returns the number of bytes that the compressor has read from the pipe: `rchar` of proc(5). Returns null if
 * the program has ended, or if the system hides the number.
 */
async function bytesReadBy(pid: number): Promise<number | null> {
  try {
    const match = /^rchar: (\d+)$/m.exec(await Deno.readTextFile(`/proc/${pid}/io`));
    return match === null ? null : Number(match[1]);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return null;
    // ESRCH: the program ended after the file was opened.
    if (/os error 3\b/.test(String(error))) return null;
    throw error;
  }
}
