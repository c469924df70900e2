/**
 * Watches a run's progress. Reports how long nothing has moved and what the run waits for, and ends it at its
 * limit.
 */
import type { Clock } from "../src/domain/clock.ts";
import type { Job } from "../src/protocol/job.ts";
import type { ProgressEvent } from "../src/protocol/wire_messages.ts";
import { logger } from "../src/telemetry/logging.ts";
import { findLockWait } from "./engine/jobs/lock_waits.ts";
import type { PendingCalls } from "./engine/pending_calls.ts";
import { type Output, RunAbortedError, type RunPorts } from "./engine/ports.ts";
import { formatSeconds } from "./engine/jobs/progress.ts";
import { activityOf, runningPrograms, waitingForDisk } from "./engine/programs/program_activity.ts";

type Figures = Omit<ProgressEvent, "kind" | "stalled_ms" | "waits_for">;

/** Between two looks, at least and at most. Milliseconds. */
const LOOK_LEAST = 250;
const LOOK_MOST = 10_000;
/** The control plane hears of the run at least this often. Milliseconds. */
const REPORT_EVERY = 30_000;
/** Between two questions of who blocks. Milliseconds. */
const ASK_EVERY = 60_000;

/** Lines that say only that the run is still there. */
const IDLE_LINE = /^(Progress|Waiting): /;

export interface RunWatchOptions {
  readonly job: Job;
  readonly clock: Clock;
  readonly pending: PendingCalls;
  /** Ends the run. */
  readonly abort: AbortController;
  /** To the control plane. */
  report(figures: Omit<ProgressEvent, "kind">): void;
  /** To the run's output. */
  line(text: string): void;
}

interface Reason {
  text: string;
  /** It is a lock in a database. */
  isLock: boolean;
}

export class RunWatch {
  readonly #options: RunWatchOptions;
  #movedAt: number;
  #reportedAt = -Infinity;
  #askedAt = -Infinity;
  #figures: Figures = {
    bytes_read: 0,
    bytes_written: 0,
    files_count: null,
    bytes_per_second: 0,
    eta_seconds: null,
  };
  #activity = "";
  #reason: Reason | null = null;
  /** Whether the output already reports the stall. */
  #isTold = false;

  constructor(options: RunWatchOptions) {
    this.#options = options;
    this.#movedAt = options.clock.monotonic();
  }

  /** Output that counts as movement. */
  output(output: Output): Output {
    return {
      line: (text) => {
        if (!IDLE_LINE.test(text)) this.#moved();
        output.line(text);
      },
      warning: (text) => {
        this.#moved();
        output.warning(text);
      },
    };
  }

  progress(figures: Figures): void {
    const { bytes_read, bytes_written, files_count } = this.#figures;
    const isSame = figures.bytes_read === bytes_read && figures.bytes_written === bytes_written &&
      figures.files_count === files_count;
    if (!isSame) this.#moved();
    this.#figures = figures;
    this.#report();
  }

  /** Looks until the signal aborts. */
  async run(ports: RunPorts, signal: AbortSignal): Promise<void> {
    const { clock, job } = this.#options;
    const { watch } = job;
    if (watch === undefined) return;
    const limits = [watch.stall_warning_ms, watch.stall_timeout_ms, this.#lockLimit()];
    const interval = Math.min(LOOK_MOST, Math.max(LOOK_LEAST, Math.min(...limits) / 5));
    while (true) {
      await clock.sleep(interval, signal).catch(() => {});
      if (signal.aborted) return;
      await this.#look(ports, Math.min(watch.stall_warning_ms, this.#lockLimit())).catch((error) => {
        logger("agent").warn("Cannot look at a run that may stand still: {error}", { error });
      });
      if (signal.aborted) return;
      this.#endAtLimit(watch.stall_timeout_ms);
    }
  }

  async #look(ports: RunPorts, patience: number): Promise<void> {
    const { clock } = this.#options;
    const programs = runningPrograms(ports.signal);
    const activity = activityOf(programs);
    if (activity !== this.#activity) this.#moved();
    this.#activity = activity;
    const now = clock.monotonic();
    if (now - this.#movedAt >= patience && now - this.#askedAt >= Math.min(ASK_EVERY, patience)) {
      this.#askedAt = now;
      this.#reason = await this.#findReason(ports);
      this.#tell();
      this.#report();
    }
    if (clock.monotonic() - this.#reportedAt >= REPORT_EVERY) this.#report();
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
      const text = `It waits for ${names}; the database can't be asked for whom: ${
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
      ? "It waits for the agent itself: no program of it runs, and its destination was asked for nothing."
      : `It waits for ${names}, which do nothing.`;
    return { text, isLock: false };
  }

  /** Once a stall. */
  #tell(): void {
    if (this.#isTold || this.#reason === null) return;
    this.#isTold = true;
    this.#options.line(`Nothing has moved for ${this.#stalled()}. ${this.#reason.text}`);
  }

  #endAtLimit(timeout: number): void {
    const { abort, clock } = this.#options;
    const still = clock.monotonic() - this.#movedAt;
    const isLocked = this.#reason?.isLock === true && still >= this.#lockLimit();
    if (abort.signal.aborted || !isLocked && still < timeout) return;
    const why = this.#reason === null ? "" : ` ${this.#reason.text}`;
    const what = isLocked
      ? "Cannot go on: a lock was not to be had for"
      : "Cannot go on: nothing has moved for";
    abort.abort(new RunAbortedError("failed", `${what} ${this.#stalled()}.${why}`));
  }

  #lockLimit(): number {
    const { job } = this.#options;
    return job.kind === "backup" ? job.lock_wait_ms ?? Infinity : Infinity;
  }

  #stalled(): string {
    return formatSeconds(Math.round((this.#options.clock.monotonic() - this.#movedAt) / 1000));
  }

  #moved(): void {
    this.#movedAt = this.#options.clock.monotonic();
    this.#reason = null;
    this.#askedAt = -Infinity;
    this.#isTold = false;
  }

  #report(): void {
    const now = this.#options.clock.monotonic();
    this.#reportedAt = now;
    this.#options.report({
      ...this.#figures,
      stalled_ms: Math.round(now - this.#movedAt),
      waits_for: this.#reason?.text.slice(0, 2000) ?? null,
    });
  }
}
