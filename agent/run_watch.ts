/**
 * Watches a run's progress. Reports for how long the run has been stalled and what it waits for. Ends the run
 * when it has been stalled for too long.
 */
import type { Clock } from "../src/domain/clock.ts";
import type { RunPhase } from "../src/domain/run.ts";
import type { Job } from "../src/protocol/job.ts";
import type { ProgressEvent } from "../src/protocol/wire_messages.ts";
import { logger } from "../src/telemetry/logging.ts";
import { findLockWait } from "./engine/jobs/lock_waits.ts";
import type { PendingCalls } from "./engine/pending_calls.ts";
import { type Output, RunAbortedError, type RunPorts } from "./engine/ports.ts";
import { formatSeconds } from "./engine/jobs/progress.ts";
import { activityOf, runningPrograms, waitingForDisk } from "./engine/programs/program_activity.ts";

type ProgressStats = Omit<ProgressEvent, "kind" | "stalled_ms" | "waits_for" | "phase">;

/** Shortest and longest time between two checks of a run's progress, in milliseconds. */
const POLL_MIN = 250;
const POLL_MAX = 10_000;
/** Longest time between two progress reports to the control plane, in milliseconds. */
const REPORT_INTERVAL = 30_000;
/** Minimum time between two searches for the reason why a run is stalled, in milliseconds. */
const DIAGNOSIS_INTERVAL = 60_000;

/** Matches output lines that are no sign of progress. */
const IDLE_LINE = /^(Progress|Waiting): /;

export interface RunWatchOptions {
  readonly job: Job;
  readonly clock: Clock;
  readonly pending: PendingCalls;
  /** Aborting this controller ends the run. */
  readonly abort: AbortController;
  /** Reports stats to the control plane. */
  report(stats: Omit<ProgressEvent, "kind">): void;
  /** Writes a line to the run's output. */
  line(text: string): void;
}

interface Reason {
  text: string;
  /** Whether the run waits for a lock in a database. */
  isLock: boolean;
}

export class RunWatch {
  readonly #options: RunWatchOptions;
  #progressedAt: number;
  #reportedAt = -Infinity;
  #diagnosedAt = -Infinity;
  #stats: ProgressStats = {
    bytes_read: 0,
    bytes_written: 0,
    files_count: null,
    bytes_per_second: 0,
    eta_seconds: null,
  };
  #activity = "";
  #reason: Reason | null = null;
  /** Whether the output has a line about the current stall. */
  #isReported = false;
  #phase: RunPhase | undefined;

  constructor(options: RunWatchOptions) {
    this.#options = options;
    this.#progressedAt = options.clock.monotonic();
  }

  /**
   * Returns an output that writes to `output` and notes progress. Every line counts as progress, unless it
   * matches `IDLE_LINE`. Every warning counts.
   */
  output(output: Output): Output {
    return {
      line: (text) => {
        if (!IDLE_LINE.test(text)) this.#progressed();
        output.line(text);
      },
      warning: (text) => {
        this.#progressed();
        output.warning(text);
      },
    };
  }

  /**
   * Reports a new phase of the run. While scripts run, the run never counts as stalled, because scripts have
   * their own time limits.
   */
  enterPhase(phase: RunPhase): void {
    this.#phase = phase;
    this.#progressed();
    this.#report();
  }

  progress(stats: ProgressStats): void {
    const { bytes_read, bytes_written, files_count } = this.#stats;
    const isSame = stats.bytes_read === bytes_read && stats.bytes_written === bytes_written &&
      stats.files_count === files_count;
    if (!isSame) this.#progressed();
    this.#stats = stats;
    this.#report();
  }

  /** Checks the run's progress at intervals until the signal aborts. */
  async run(ports: RunPorts, signal: AbortSignal): Promise<void> {
    const { clock, job } = this.#options;
    const { watch } = job;
    if (watch === undefined) return;
    const limits = [watch.stall_warning_ms, watch.stall_timeout_ms, this.#lockLimit()];
    const interval = Math.min(POLL_MAX, Math.max(POLL_MIN, Math.min(...limits) / 5));
    while (true) {
      await clock.sleep(interval, signal).catch(() => {});
      if (signal.aborted) return;
      await this.#poll(ports, Math.min(watch.stall_warning_ms, this.#lockLimit())).catch((error) => {
        logger("agent").warn("Cannot diagnose a run that may be stalled: {error}", { error });
      });
      if (signal.aborted) return;
      this.#endAtLimit(watch.stall_timeout_ms);
    }
  }

  async #poll(ports: RunPorts, patience: number): Promise<void> {
    const { clock } = this.#options;
    const programs = runningPrograms(ports.signal);
    const activity = activityOf(programs);
    const isScript = this.#phase !== undefined && this.#phase !== "backup";
    if (isScript || activity !== this.#activity) this.#progressed();
    this.#activity = activity;
    const now = clock.monotonic();
    if (
      now - this.#progressedAt >= patience &&
      now - this.#diagnosedAt >= Math.min(DIAGNOSIS_INTERVAL, patience)
    ) {
      this.#diagnosedAt = now;
      this.#reason = await this.#findReason(ports);
      this.#printStall();
      this.#report();
    }
    if (clock.monotonic() - this.#reportedAt >= REPORT_INTERVAL) this.#report();
  }

  async #findReason(ports: RunPorts): Promise<Reason> {
    const { clock, job, pending } = this.#options;
    const programs = runningPrograms(ports.signal);
    const call = pending.oldest();
    if (call !== null) {
      const seconds = Math.round((clock.monotonic() - call.since) / 1000);
      const text = `It waits for the destination to ${call.what}, for ${formatSeconds(seconds)}.`;
      return { text, isLock: false };
    }
    const names = [...new Set(programs.map(({ name }) => name))].join(", ");
    try {
      const lock = await findLockWait(job, ports, programs);
      if (lock !== null) return { text: lock, isLock: true };
    } catch (error) {
      const text = `It waits for ${names}; the database can't be queried for the holder: ${
        (error as Error).message
      }.`;
      return { text: text.slice(0, 2000), isLock: false };
    }
    const stuck = waitingForDisk(programs).map(({ name }) => name);
    if (stuck.length > 0) {
      return {
        text: `It waits for ${stuck.join(", ")}: a disk or a network file system does not answer.`,
        isLock: false,
      };
    }
    const text = programs.length === 0
      ? "It waits for the agent itself: none of its programs runs, and no request to its destination is open."
      : `It waits for ${names}, which make no progress.`;
    return { text, isLock: false };
  }

  /** Prints a line to the run's output that says what the run waits for. Prints it once for each stall. */
  #printStall(): void {
    if (this.#isReported || this.#reason === null) return;
    this.#isReported = true;
    this.#options.line(`It has made no progress for ${this.#stallDuration()}. ${this.#reason.text}`);
  }

  #endAtLimit(timeout: number): void {
    const { abort, clock } = this.#options;
    const still = clock.monotonic() - this.#progressedAt;
    const isLocked = this.#reason?.isLock === true && still >= this.#lockLimit();
    if (abort.signal.aborted || !isLocked && still < timeout) return;
    const why = this.#reason === null ? "" : ` ${this.#reason.text}`;
    const what = isLocked
      ? "Cannot go on: a lock was not available for"
      : "Cannot go on: there was no progress for";
    abort.abort(new RunAbortedError("failed", `${what} ${this.#stallDuration()}.${why}`));
  }

  #lockLimit(): number {
    const { job } = this.#options;
    return job.kind === "backup" ? job.lock_wait_ms ?? Infinity : Infinity;
  }

  #stallDuration(): string {
    return formatSeconds(Math.round((this.#options.clock.monotonic() - this.#progressedAt) / 1000));
  }

  #progressed(): void {
    this.#progressedAt = this.#options.clock.monotonic();
    this.#reason = null;
    this.#diagnosedAt = -Infinity;
    this.#isReported = false;
  }

  #report(): void {
    const now = this.#options.clock.monotonic();
    this.#reportedAt = now;
    this.#options.report({
      ...this.#stats,
      stalled_ms: Math.round(now - this.#progressedAt),
      waits_for: this.#reason?.text.slice(0, 2000) ?? null,
      ...this.#phase === undefined ? {} : { phase: this.#phase },
    });
  }
}
