/** Starts and stops this agent's runs, and records their events in the journal. */
import { logger, withLogContext } from "../src/telemetry/logging.ts";
import { failSpan, startSpan, traceparentOf, withSpan } from "../src/telemetry/tracing.ts";
import type { Clock } from "../src/domain/clock.ts";
import type { Job } from "../src/protocol/job.ts";
import type { RunEvent, Verdict } from "../src/protocol/wire_messages.ts";
import { runBackup } from "./engine/jobs/backup.ts";
import type { GarbageCollection } from "./engine/garbage.ts";
import { openDestination } from "./engine/destinations/destinations.ts";
import { PendingCalls } from "./engine/pending_calls.ts";
import { runDrill } from "./engine/jobs/drill.ts";
import { BackupDamagedError, RunAbortedError, RunFailedError, type RunPorts } from "./engine/ports.ts";
import { runRestore } from "./engine/jobs/restore.ts";
import { runVerify } from "./engine/jobs/verify.ts";
import type { Journal, RunJournal } from "./journal.ts";
import { endKilledRuns, NAMES } from "./killed_runs.ts";
import { RunOutput } from "./run_output.ts";
import { type RequestLink, RunRequests } from "./rpc/run_calls.ts";
import { type ExportSource, fetchExport } from "./rpc/run_exports.ts";
import { RunDownloads } from "./rpc/run_downloads.ts";
import { RunRelay } from "./rpc/run_relay.ts";
import { RunWatch } from "./run_watch.ts";
import { RunUploads } from "./rpc/run_uploads.ts";
import type { StateDirectory } from "./state_directory.ts";

export interface RunnerOptions {
  clock: Clock;
  journal: Journal;
  state: StateDirectory;
  hostname: string;
  link(): RequestLink & { pump(): void };
  readonly garbage: GarbageCollection;
  /** The source of the control plane's state, for runs that back it up. */
  exports: ExportSource;
}

interface ActiveRun {
  runId: number;
  attempt: number;
  abort: AbortController;
  done: Promise<void>;
}

export class Runner {
  readonly #options: RunnerOptions;
  readonly #active = new Map<number, ActiveRun>();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Records verdicts for the runs that an earlier agent process was killed in. */
  recover(): Promise<void> {
    return endKilledRuns(this.#options);
  }

  /**
   * Starts an assignment. Ignores a repeated one; a newer attempt of a run replaces the older attempt.
   */
  start(runId: number, attempt: number, job: Job, traceparent?: string): void {
    const { journal } = this.#options;
    if (journal.find(runId, attempt) !== undefined) return this.#options.link().pump();
    const older = this.#active.get(runId);
    older?.abort.abort(new RunAbortedError("cancelled", "The control plane dispatched the run again."));
    const abort = new AbortController();
    const active: ActiveRun = { runId, attempt, abort, done: Promise.resolve() };
    const span = startSpan(`${job.kind} run`, {
      "rearguard.run.id": runId,
      "rearguard.run.attempt": attempt,
      ...(job.task === null ? {} : { "rearguard.task.id": job.task.id }),
    }, traceparent);
    let run: RunJournal;
    try {
      run = journal.create(runId, attempt, job.kind, traceparentOf(span));
    } catch (error) {
      // Without a journal no verdict is durable: the assignment expires, and the control plane repeats it.
      failSpan(span, "Cannot write the journal");
      span.end();
      log().error("Cannot accept run {run_id}: {reason}", {
        run_id: runId,
        reason: (error as Error).message,
      });
      return;
    }
    this.#active.set(runId, active);
    const about = { run_id: runId, attempt, ...(job.task === null ? {} : { task_id: job.task.id }) };
    const work = () => withLogContext(about, () => this.#run(run, job, abort, older?.done));
    active.done = withSpan(span, work).then((verdict) => {
      span.setAttribute("rearguard.run.outcome", verdict.outcome);
      if (verdict.outcome === "failed") failSpan(span, "The run failed");
    }).finally(() => {
      span.end();
      if (this.#active.get(runId) === active) this.#active.delete(runId);
      this.#options.garbage.soon();
    });
  }

  cancel(runId: number, attempt: number, reason: string): void {
    const active = this.#active.get(runId);
    if (active?.attempt === attempt) active.abort.abort(new RunAbortedError("cancelled", reason));
  }

  /** Stops the run if it is active, and removes its journal. */
  async forget(runId: number, attempt: number): Promise<void> {
    this.cancel(runId, attempt, "The control plane does not know this run.");
    const active = this.#active.get(runId);
    if (active?.attempt === attempt) await active.done;
    const run = this.#options.journal.find(runId, attempt);
    if (run !== undefined) this.#options.journal.forget(run);
  }

  /** Ends every run as failed; resolves when their verdicts are in the journal. */
  async stop(): Promise<void> {
    const runs = [...this.#active.values()];
    for (const { abort } of runs) {
      abort.abort(new RunAbortedError("failed", "The agent was stopped while the run was active."));
    }
    await Promise.all(runs.map((run) => run.done));
  }

  async #run(run: RunJournal, job: Job, abort: AbortController, before?: Promise<void>): Promise<Verdict> {
    const { clock } = this.#options;
    const record = (event: RunEvent) => {
      try {
        run.append(event);
      } catch (error) {
        const reason = `The agent can't write its journal: ${(error as Error).message}`;
        abort.abort(new RunAbortedError("failed", reason));
      }
      this.#options.link().pump();
    };
    record({ kind: "accepted" });
    log().info("{name} run {run_id} begins", { name: NAMES[job.kind], run_id: run.runId });
    await before;
    const output = new RunOutput(clock, (text) => record({ kind: "output", text }));
    const verdict = await this.#execute(run, job, abort, output, record);
    output.close();
    await run.finish({ kind: "finished", verdict }).catch((error) => {
      // The verdict is still in memory and is sent. It is lost only if the agent is killed now.
      log().error("Cannot keep a verdict on disk: {reason}", { reason: (error as Error).message });
    });
    this.#options.link().pump();
    log().info("{name} run {run_id} ended: {outcome}", {
      name: NAMES[job.kind],
      run_id: run.runId,
      outcome: verdict.outcome,
    });
    return verdict;
  }

  async #execute(
    run: RunJournal,
    job: Job,
    abort: AbortController,
    output: RunOutput,
    record: (event: RunEvent) => void,
  ): Promise<Verdict> {
    const { clock, hostname, link, state } = this.#options;
    const { signal } = abort;
    const startedAt = clock.monotonic();
    const task = job.task === null ? "" : ` of backup task ${job.task.id} (${job.task.label})`;
    output.line(`Run ${run.runId}${task} on ${hostname}`);
    const timer = this.#startTimeout(job.timeout_ms, abort);
    let workDirectory: string | null = null;
    const watching = new AbortController();
    let watched: Promise<void> = Promise.resolve();
    try {
      signal.throwIfAborted();
      const calls = new RunRequests(link(), clock, (reason) => output.line(`Waiting: ${reason}`));
      workDirectory = await state.makeWorkDirectory(run.runId, run.attempt);
      const pending = new PendingCalls(clock);
      const watch = new RunWatch({
        job,
        clock,
        pending,
        abort,
        report: (stats) => {
          // While the link is lost, skip progress events: later ones replace them.
          if (run.pendingSize < 1024 * 1024) record({ kind: "progress", ...stats });
        },
        line: (text) => output.line(text),
      });
      const ports: RunPorts = {
        clock,
        output: watch.output(output),
        signal,
        workDirectory,
        progress: (stats) => watch.progress(stats),
        opening: (name, path) => run.opening(name, path),
        scratch: (path) => run.scratch(path),
        uploads: new RunUploads(calls, clock, run),
        downloads: new RunDownloads(calls, run),
        relay: new RunRelay(this.#options.exports, run),
        exported: (signal) => fetchExport(this.#options.exports, run, signal),
      };
      watched = watch.run(ports, watching.signal);
      const done = await carryOut(job, ports, pending);
      const seconds = ((clock.monotonic() - startedAt) / 1000).toFixed(1);
      const warnings = output.warningsCount;
      output.line(
        `${NAMES[job.kind]} completed successfully in ${seconds} s` +
          (warnings === 0 ? "" : ` with ${warnings} ${warnings === 1 ? "warning" : "warnings"}`),
      );
      return { outcome: "succeeded", warnings_count: warnings, ...done };
    } catch (error) {
      return this.#failure(job, signal.aborted ? signal.reason : error, error, output);
    } finally {
      timer.abort();
      watching.abort();
      await watched;
      if (workDirectory !== null) await Deno.remove(workDirectory, { recursive: true }).catch(ignoreMissing);
    }
  }

  #failure(job: Job, error: unknown, thrown: unknown, output: RunOutput): Verdict {
    const outcome = error instanceof RunAbortedError ? error.outcome : "failed";
    const reason = error instanceof RunAbortedError || error instanceof RunFailedError
      ? error.message
      : `The agent failed unexpectedly: ${error instanceof Error ? error.message : String(error)}`;
    if (!(error instanceof RunAbortedError || error instanceof RunFailedError)) {
      log().error("A run failed unexpectedly: {error}", { error });
    }
    output.line(`${NAMES[job.kind]} ${outcome}: ${reason}`);
    const leftovers = new Set([...leftoversOf(error), ...leftoversOf(thrown)]);
    return {
      outcome,
      warnings_count: output.warningsCount,
      reason: reason.slice(0, 4096),
      leftovers: [...leftovers],
      ...(error instanceof BackupDamagedError ? { damage: error.damage.slice(0, 4096) } : {}),
    };
  }

  #startTimeout(timeoutMs: number | null, abort: AbortController): AbortController {
    const over = new AbortController();
    if (timeoutMs === null) return over;
    this.#options.clock.sleep(timeoutMs, over.signal).then(() => {
      const reason = `The run took longer than its task's run timeout of ${timeoutMs / 1000} s.`;
      abort.abort(new RunAbortedError("failed", reason));
    }, () => {});
    return over;
  }
}

/** Does the job's work. Returns the fields of a successful verdict. */
async function carryOut(job: Job, ports: RunPorts, pending: PendingCalls) {
  const spec = job.kind === "backup" ? job.destination : job.backup.destination;
  const opened = await pending.follow("accept the connection", () => openDestination(spec, ports));
  const destination = pending.watch(opened);
  try {
    if (job.kind === "verify") return { verified: await runVerify(job, destination, ports) };
    if (job.kind === "drill") return { proven: await runDrill(job, destination, ports) };
    if (job.kind === "restore") return { restored: await runRestore(job, destination, ports) };
    return { backup: (await runBackup(job, destination, ports)).backup };
  } finally {
    await destination.close();
  }
}

function leftoversOf(error: unknown): string[] {
  return error instanceof RunAbortedError || error instanceof RunFailedError ? error.leftovers : [];
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

const log = () => logger("agent");
