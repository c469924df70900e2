/** Starts and stops this agent's runs, and records their events in the journal. */
import { logger, withLogContext } from "../src/telemetry/logging.ts";
import { failSpan, startSpan, traceparentOf, withSpan } from "../src/telemetry/tracing.ts";
import type { Job } from "../src/protocol/job.ts";
import type { RunEvent, Verdict } from "../src/protocol/wire_messages.ts";
import type { GarbageCollection } from "./engine/garbage.ts";
import { RunAbortedError } from "./engine/ports.ts";
import { RunScripts } from "./engine/scripts/run_scripts.ts";
import { executeRun, followScripts, type RunEnvironment } from "./execute_run.ts";
import type { Journal, RunJournal } from "./journal.ts";
import { endKilledRuns, NAMES, type PendingScripts } from "./killed_runs.ts";
import { RunOutput } from "./run_output.ts";
import type { RequestLink } from "./rpc/run_requests.ts";

export interface RunnerOptions extends RunEnvironment {
  readonly journal: Journal;
  link(): RequestLink & { pump(): void };
  readonly garbage: GarbageCollection;
}

interface ActiveRun {
  readonly runId: number;
  readonly attempt: number;
  /** The id of the backup run's task; null for runs of other types. */
  readonly taskId: number | null;
  readonly hasScripts: boolean;
  readonly abort: AbortController;
  done: Promise<void>;
}

export class Runner {
  readonly #options: RunnerOptions;
  readonly #active = new Map<number, ActiveRun>();
  #pending: PendingScripts[] = [];

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Records the verdicts of runs that were active when an earlier agent process was killed. */
  async recover(): Promise<void> {
    this.#pending = await endKilledRuns(this.#options);
  }

  /**
   * Starts the scripts that an earlier agent process had not run when it was killed. A run's verdict is
   * reported when the run's scripts have ended.
   */
  resume(): void {
    for (const pending of this.#pending.splice(0)) this.#resume(pending);
  }

  /**
   * Starts an assignment. Ignores an assignment that was started before. A newer attempt of a run cancels the
   * older one.
   */
  start(runId: number, attempt: number, job: Job, traceparent?: string): void {
    const { journal } = this.#options;
    if (journal.find(runId, attempt) !== undefined) return this.#options.link().pump();
    const older = this.#active.get(runId);
    older?.abort.abort(new RunAbortedError("cancelled", "The control plane dispatched the run again."));
    const active: ActiveRun = {
      runId,
      attempt,
      taskId: job.kind === "backup" ? job.task.id : null,
      hasScripts: job.kind === "backup" && (job.scripts?.length ?? 0) > 0,
      abort: new AbortController(),
      done: Promise.resolve(),
    };
    const before = this.#runsBefore(active);
    const span = startSpan(`${job.kind} run`, {
      "rearguard.run.id": runId,
      "rearguard.run.attempt": attempt,
      ...(job.task === null ? {} : { "rearguard.task.id": job.task.id }),
    }, traceparent);
    let run: RunJournal;
    try {
      run = journal.create(runId, attempt, job.kind, traceparentOf(span));
    } catch (error) {
      // Do not start the run: without a journal, its verdict would not be durable. The assignment expires,
      // and the control plane dispatches the run again.
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
    const work = () => withLogContext(about, () => this.#run(run, job, active.abort, before));
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

  /**
   * Stops all active runs and gives them the outcome `failed`. Resolves when their verdicts are in the
   * journal.
   */
  async stop(): Promise<void> {
    const runs = [...this.#active.values()];
    for (const { abort } of runs) {
      abort.abort(new RunAbortedError("failed", "The agent was stopped while the run was active."));
    }
    await Promise.all(runs.map((run) => run.done));
  }

  /**
   * Returns the active runs that must end before this run begins:
   * - older attempts of the same run;
   * - other runs of the same task, if this run or the other run has scripts. The scripts of two runs must not
   *   mix.
   */
  #runsBefore({ runId, taskId, hasScripts }: ActiveRun): ActiveRun[] {
    return [...this.#active.values()].filter((other) =>
      other.runId === runId ||
      taskId !== null && other.taskId === taskId && (hasScripts || other.hasScripts)
    );
  }

  async #run(
    run: RunJournal,
    job: Job,
    abort: AbortController,
    before: readonly ActiveRun[],
  ): Promise<Verdict> {
    const record = this.#recorder(run, abort);
    record({ kind: "accepted" });
    log().info("{name} run {run_id} begins", { name: NAMES[job.kind], run_id: run.runId });
    const output = new RunOutput(
      this.#options.clock,
      (text, warnings) => record({ kind: "output", text, ...warnings && { warnings } }),
    );
    if (before.length > 0) {
      output.line(`Waiting: run ${before.map(({ runId }) => runId).join(", ")} has not ended on this server`);
      await Promise.race([Promise.all(before.map(({ done }) => done)), aborted(abort.signal)]);
    }
    const verdict = await executeRun(this.#options, { run, job, abort, output, record });
    return await this.#finish(run, output, verdict);
  }

  /** Runs the scripts that an earlier agent process had not finished, and reports the verdict. */
  #resume({ run, plan, verdict }: PendingScripts): void {
    const { clock } = this.#options;
    const { runId, attempt } = run;
    const abort = new AbortController();
    const record = this.#recorder(run, abort);
    const output = new RunOutput(
      clock,
      (text, warnings) => record({ kind: "output", text, ...warnings && { warnings } }),
    );
    output.warningsCount = verdict.warnings_count;
    log().info("{name} run {run_id} goes on with its scripts", { name: NAMES[run.kind], run_id: runId });
    const { scripts: journal } = run;
    const secrets = [...plan.secrets, this.#options.exports.key];
    const context = { clock, output, signal: abort.signal, journal, secrets, enterPhase() {} };
    const scripts = new RunScripts(plan, context, journal.problems);
    const active: ActiveRun = {
      runId,
      attempt,
      taskId: plan.task_id,
      hasScripts: true,
      abort,
      done: Promise.resolve(),
    };
    this.#active.set(runId, active);
    const work = async () => {
      await this.#finish(run, output, await followScripts(scripts, { run, output }, verdict));
    };
    active.done = work().finally(() => {
      if (this.#active.get(runId) === active) this.#active.delete(runId);
    });
  }

  #recorder(run: RunJournal, abort: AbortController): (event: RunEvent) => void {
    return (event) => {
      try {
        run.append(event);
      } catch (error) {
        const reason = `The agent can't write its journal: ${(error as Error).message}`;
        abort.abort(new RunAbortedError("failed", reason));
      }
      this.#options.link().pump();
    };
  }

  async #finish(run: RunJournal, output: RunOutput, verdict: Verdict): Promise<Verdict> {
    output.close();
    try {
      await run.finish({ kind: "finished", verdict });
      await this.#options.state.removeScripts(run.runId, run.attempt);
    } catch (error) {
      // Log the error, and continue: the verdict is in memory and will be sent. The agent might be killed
      // before it sends the verdict. The next agent process then sees from the script files which scripts
      // were run.
      log().error("Cannot keep the verdict of run {run_id} on disk: {reason}", {
        run_id: run.runId,
        reason: (error as Error).message,
      });
    }
    this.#options.link().pump();
    log().info("{name} run {run_id} ended: {outcome}", {
      name: NAMES[run.kind],
      run_id: run.runId,
      outcome: verdict.outcome,
    });
    return verdict;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

const log = () => logger("agent");
