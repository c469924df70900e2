/** Executes one run: its scripts and its job. Watches the run and limits its time. */
import type { Clock } from "../src/domain/clock.ts";
import type { RunPhase } from "../src/domain/run.ts";
import type { Job } from "../src/protocol/job.ts";
import type { RunEvent, Verdict } from "../src/protocol/wire_messages.ts";
import { logger } from "../src/telemetry/logging.ts";
import { openDestination } from "./engine/destinations/destinations.ts";
import { runBackup } from "./engine/jobs/backup.ts";
import { runDrill } from "./engine/jobs/drill.ts";
import { runRestore } from "./engine/jobs/restore.ts";
import { runVerify } from "./engine/jobs/verify.ts";
import { PendingCalls } from "./engine/pending_calls.ts";
import { BackupDamagedError, RunAbortedError, RunFailedError, type RunPorts } from "./engine/ports.ts";
import { prepareScripts } from "./engine/scripts/prepare_scripts.ts";
import { RunScripts } from "./engine/scripts/run_scripts.ts";
import type { ScriptPolicy } from "./engine/scripts/script_policy.ts";
import type { RunJournal } from "./journal.ts";
import { NAMES } from "./killed_runs.ts";
import { RunOutput } from "./run_output.ts";
import { type RequestLink, RunRequests } from "./rpc/run_requests.ts";
import { type ExportSource, fetchExport } from "./rpc/run_exports.ts";
import { RunDownloads } from "./rpc/run_downloads.ts";
import { RunRelay } from "./rpc/run_relay.ts";
import { RunUploads } from "./rpc/run_uploads.ts";
import { RunWatch } from "./run_watch.ts";
import type { StateDirectory } from "./state_directory.ts";

/** The parts of the agent that a run uses. */
export interface RunEnvironment {
  readonly clock: Clock;
  readonly state: StateDirectory;
  readonly hostname: string;
  link(): RequestLink;
  /** Where a run that backs up the control plane gets the export of the control plane's state. */
  readonly exports: ExportSource;
  /** The policy that says which scripts this agent may run. */
  readonly scripts: ScriptPolicy;
}

export interface Execution {
  readonly run: RunJournal;
  readonly job: Job;
  readonly abort: AbortController;
  readonly output: RunOutput;
  record(event: RunEvent): void;
}

/** Executes a run. Resolves with its verdict. A failure of the run is a verdict, not a rejection. */
export async function executeRun(environment: RunEnvironment, execution: Execution): Promise<Verdict> {
  const { clock, hostname, state } = environment;
  const { abort, job, output, run } = execution;
  const startedAt = clock.monotonic();
  const task = job.task === null ? "" : ` of backup task ${job.task.id} (${job.task.label})`;
  output.line(`Run ${run.runId}${task} on ${hostname}`);
  const timer = startTimeout(clock, job.timeout_ms, abort);
  let workDirectory: string | null = null;
  let scripts: RunScripts | null = null;
  const watching = new AbortController();
  let watched: Promise<void> = Promise.resolve();
  let verdict: Verdict;
  try {
    try {
      abort.signal.throwIfAborted();
      workDirectory = await state.makeWorkDirectory(run.runId, run.attempt);
      const pending = new PendingCalls(clock);
      const watch = watchOf(environment, execution, pending);
      const ports = portsOf(environment, execution, watch, workDirectory);
      watched = watch.run(ports, watching.signal);
      scripts = await planScripts(environment, execution, (phase) => watch.enterPhase(phase));
      await scripts?.before();
      const done = await carryOut(job, ports, pending);
      const seconds = ((clock.monotonic() - startedAt) / 1000).toFixed(1);
      const warnings = output.warningsCount;
      output.line(
        `${NAMES[job.kind]} completed successfully in ${seconds} s` +
          (warnings === 0 ? "" : ` with ${warnings} ${warnings === 1 ? "warning" : "warnings"}`),
      );
      verdict = { outcome: "succeeded", warnings_count: warnings, ...done };
    } catch (error) {
      const { signal } = abort;
      verdict = failureOf(job, signal.aborted ? signal.reason : error, error, output);
    } finally {
      timer.abort();
    }
    return scripts === null ? verdict : await followScripts(scripts, execution, verdict);
  } finally {
    watching.abort();
    await watched;
    if (workDirectory !== null) await Deno.remove(workDirectory, { recursive: true }).catch(ignoreMissing);
  }
}

/**
 * Runs the scripts that follow a backup, and returns the final verdict. Before the first script, records
 * `verdict` on disk. So if the agent is killed during the scripts, the next agent process can run the
 * remaining ones.
 */
export async function followScripts(
  scripts: RunScripts,
  { output, run }: Pick<Execution, "output" | "run">,
  verdict: Verdict,
): Promise<Verdict> {
  if (run.scripts.verdict === null) {
    await run.scripts.decided(verdict).catch((error) => {
      output.line(`The run's verdict can't be kept on disk: ${(error as Error).message}`);
    });
  }
  const last = await scripts.after(verdict).catch((error) => {
    log().error("The scripts of a run failed unexpectedly: {error}", { error });
    output.warning("The scripts that follow the backup failed unexpectedly: see the agent's log");
    return { ...verdict, warnings_count: output.warningsCount };
  });
  if (last.outcome !== verdict.outcome) output.line(`Backup ${last.outcome}: ${reasonOf(last)}`);
  return last;
}

function reasonOf(verdict: Verdict): string {
  return verdict.outcome === "succeeded" ? "" : verdict.reason;
}

/**
 * Prepares the run's scripts and records their plan in the journal. Returns null if the run has no scripts.
 * The first script must not begin before the promise has resolved.
 */
async function planScripts(
  { clock, exports, scripts: policy, state }: RunEnvironment,
  { abort: { signal }, job, output, run }: Execution,
  enterPhase: (phase: RunPhase) => void,
): Promise<RunScripts | null> {
  if (job.kind !== "backup" || job.scripts === undefined || job.scripts.length === 0) return null;
  const directory = state.scriptDirectory(run.runId, run.attempt);
  const order = { job, scripts: job.scripts, runId: run.runId, directory, policy, secrets: [exports.key] };
  const { plan, secrets } = await prepareScripts(order, { clock, signal });
  await run.scripts.planned(plan);
  return new RunScripts(plan, { clock, output, signal, journal: run.scripts, secrets, enterPhase });
}

function watchOf(
  { clock }: RunEnvironment,
  { abort, job, output, record, run }: Execution,
  pending: PendingCalls,
): RunWatch {
  return new RunWatch({
    job,
    clock,
    pending,
    abort,
    report: (stats) => {
      // While the connection is lost and events pile up, skip progress events: later ones replace them.
      if (run.pendingSize < 1024 * 1024) record({ kind: "progress", ...stats });
    },
    line: (text) => output.line(text),
  });
}

function portsOf(
  { clock, exports, link }: RunEnvironment,
  { abort: { signal }, output, run }: Execution,
  watch: RunWatch,
  workDirectory: string,
): RunPorts {
  const calls = new RunRequests(link(), clock, (reason) => output.line(`Waiting: ${reason}`));
  return {
    clock,
    output: watch.output(output),
    signal,
    workDirectory,
    progress: (stats) => watch.progress(stats),
    opening: (name, path) => run.opening(name, path),
    scratch: (path) => run.scratch(path),
    uploads: new RunUploads(calls, clock, run),
    downloads: new RunDownloads(calls, run),
    relay: new RunRelay(exports, run),
    exported: (signal) => fetchExport(exports, run, signal),
  };
}

function failureOf(job: Job, error: unknown, thrown: unknown, output: RunOutput): Verdict {
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

function startTimeout(clock: Clock, timeoutMs: number | null, abort: AbortController): AbortController {
  const over = new AbortController();
  if (timeoutMs === null) return over;
  clock.sleep(timeoutMs, over.signal).then(() => {
    const reason = `The run took longer than its task's run timeout of ${timeoutMs / 1000} s.`;
    abort.abort(new RunAbortedError("failed", reason));
  }, () => {});
  return over;
}

/** Executes the job. Returns the fields of a successful verdict. */
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
