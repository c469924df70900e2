/**
 * Runs the scripts of a backup run, each at most once, even if the agent is killed:
 * - Before the backup: the prescripts, in order, until one fails.
 * - After the backup: all scripts for the backup's outcome, then all postscripts.
 *
 * The plan of the scripts is on disk. If the agent is killed, the next agent reads the plan:
 * - It runs the scripts after the backup that were not started.
 * - If a started script is still running, it waits until the script ends.
 * - If a script was killed together with the agent, the script's result is unknown.
 */
import type { ScriptType } from "../../../src/definitions/script_fields.ts";
import type { Clock } from "../../../src/domain/clock.ts";
import type { RunPhase } from "../../../src/domain/run.ts";
import type { Verdict } from "../../../src/protocol/wire_messages.ts";
import { type Output, RunFailedError } from "../ports.ts";
import { maskSecrets } from "./known_secrets.ts";
import { outcomeVariables, scriptVariables } from "./script_environment.ts";
import { findStartedPath, newStartedPath, readyPath } from "./script_files.ts";
import type { PlannedScript, ScriptJournal, ScriptPlan } from "./script_plan.ts";
import { AlreadyStartedError, findEnd, runScript } from "./script_process.ts";
import { endProcesses, findLeader } from "./script_processes.ts";

const NAMES: Readonly<Record<ScriptType, string>> = {
  prescript: "Prescript",
  after_success: "Script after success",
  after_failure: "Script after failure",
  postscript: "Postscript",
};
const INTERRUPTED = "the agent was restarted while it ran, so how it ended is not known; it is not run again";
/** Interval at which the agent checks whether an earlier agent's script has ended, in milliseconds. */
const POLL = 200;
const MAX_REASON = 4096;

export interface ScriptContext {
  readonly clock: Clock;
  readonly output: Output & { readonly warningsCount: number };
  /**
   * Aborts when the run is stopped. Effect on the scripts:
   * - Prescripts are ended.
   * - Scripts for the backup's outcome: if the run is stopped before they begin, they all run to their end.
   *   If it is stopped later, the current script is ended, and the following ones are left out.
   * - Postscripts are never ended.
   */
  readonly signal: AbortSignal;
  readonly journal: ScriptJournal;
  /** Secrets that the scripts' output might contain, to be masked. */
  readonly secrets: readonly string[];
  /** Reports to the control plane what the run is doing. */
  enterPhase(phase: RunPhase): void;
}

export class RunScripts {
  readonly #plan: ScriptPlan;
  readonly #context: ScriptContext;
  readonly #mask: (line: string) => string;
  /**
   * Results of scripts that have already run, by their position in the plan: the problem, or null for
   * success.
   */
  readonly #ended: ReadonlyMap<number, string | null>;

  /**
   * @param ended Results of the scripts that ended under an earlier agent process. The keys are the scripts'
   *   positions in the plan.
   */
  constructor(
    plan: ScriptPlan,
    context: ScriptContext,
    ended: ReadonlyMap<number, string | null> = new Map(),
  ) {
    this.#plan = plan;
    this.#context = context;
    this.#mask = maskSecrets(context.secrets);
    this.#ended = ended;
  }

  /**
   * Runs the prescripts. If one fails and its `on_failure` is "fail", rejects with a `RunFailedError`. If the
   * signal aborts, rejects with the signal's reason.
   */
  async before(): Promise<void> {
    const { enterPhase, signal } = this.#context;
    for (const [index, script] of this.#ofType("prescript")) {
      enterPhase("prescript");
      const problem = await this.#run(index, script, {}, signal);
      signal.throwIfAborted();
      if (problem !== null && script.on_failure === "fail") {
        throw new RunFailedError(`Cannot begin the backup: ${describe(script)} failed: ${problem}.`);
      }
    }
    enterPhase("backup");
  }

  /**
   * Runs the scripts that follow the backup. Returns the run's verdict. The verdict includes the scripts'
   * failures.
   */
  async after(verdict: Verdict): Promise<Verdict> {
    const { output, signal } = this.#context;
    const stop = signal.aborted ? null : signal;
    const failed: string[] = [];
    const run = async ([index, script]: [number, PlannedScript], stop: AbortSignal | null) => {
      if (stop?.aborted) return output.line(`${describe(script)} is left out: the run was stopped`);
      this.#context.enterPhase(script.type);
      const counted = { ...verdict, warnings_count: output.warningsCount };
      const problem = await this.#run(index, script, outcomeVariables(counted), stop);
      if (problem !== null && script.on_failure === "fail") failed.push(`${describe(script)}: ${problem}`);
    };
    await this.#endPrescripts();
    for (const entry of this.#ofType(typeAfter(verdict.outcome))) await run(entry, stop);
    for (const entry of this.#ofType("postscript")) await run(entry, null);
    return withFailures({ ...verdict, warnings_count: output.warningsCount }, failed);
  }

  #ofType(type: ScriptType | null): [number, PlannedScript][] {
    return [...this.#plan.scripts.entries()].filter(([, script]) => script.type === type);
  }

  /**
   * Runs a script and returns its problem; null if it succeeded. If an earlier agent ran the script, returns
   * the result that the earlier agent recorded.
   */
  async #run(
    index: number,
    script: PlannedScript,
    variables: Record<string, string>,
    stop: AbortSignal | null,
  ): Promise<string | null> {
    const { clock, output } = this.#context;
    const ended = this.#ended.get(index);
    if (ended !== undefined) return ended;
    const startedAt = clock.monotonic();
    const problem = await this.#start(index, script, variables, stop);
    const seconds = ((clock.monotonic() - startedAt) / 1000).toFixed(1);
    if (problem === null) output.line(`${describe(script)} succeeded in ${seconds} s`);
    else if (script.on_failure === "warn") output.warning(`${describe(script)} failed: ${problem}.`);
    else output.line(`${describe(script)} failed: ${problem}.`);
    await this.#context.journal.ended(index, problem).catch((error) => {
      output.line(`The end of ${describe(script)} can't be kept on disk: ${(error as Error).message}`);
    });
    return problem;
  }

  async #start(
    index: number,
    script: PlannedScript,
    variables: Record<string, string>,
    stop: AbortSignal | null,
  ): Promise<string | null> {
    const { clock, output } = this.#context;
    const { directory } = this.#plan;
    const started = await findStartedPath(directory, index).catch(() => null);
    if (started !== null) return await this.#awaitEarlier(index, script, started);
    output.line(`${describe(script)} begins (SHA-256 ${script.sha256})`);
    const invocation = this.#invocationOf(index);
    try {
      return await runScript(
        {
          readyPath: readyPath(directory, index),
          startedPath: newStartedPath(directory, index),
          interpreter: script.interpreter,
          user: script.user,
          variables: { ...this.#plan.variables, ...scriptVariables(script, invocation), ...variables },
          invocation,
          timeoutMs: script.timeout_ms,
          stop,
        },
        clock,
        (line) => output.line(`| ${this.#mask(line)}`),
      );
    } catch (error) {
      if (!(error instanceof AlreadyStartedError)) {
        return `it could not be started: ${(error as Error).message}`;
      }
      const path = await findStartedPath(directory, index);
      return path === null ? INTERRUPTED : await this.#awaitEarlier(index, script, path);
    }
  }

  /**
   * Waits for a script that an earlier agent process started. Ends the script at the script's time limit.
   * Returns the script's problem; null if the script succeeded.
   */
  async #awaitEarlier(index: number, script: PlannedScript, startedPath: string): Promise<string | null> {
    const { clock } = this.#context;
    const until = clock.monotonic() + script.timeout_ms;
    while (findLeader(startedPath) !== null && clock.monotonic() < until) await clock.sleep(POLL);
    const leader = findLeader(startedPath);
    if (leader === null) {
      const problem = await findEnd(startedPath);
      return problem === undefined ? INTERRUPTED : problem;
    }
    await endProcesses({ leader, invocation: this.#invocationOf(index) }, clock);
    return `it did not end within ${script.timeout_ms / 1000} s and was ended`;
  }

  /**
   * Ends prescripts that an earlier agent process started and that still run. They must not run at the same
   * time as the scripts that follow.
   */
  async #endPrescripts(): Promise<void> {
    for (const [index] of this.#ofType("prescript")) {
      const started = await findStartedPath(this.#plan.directory, index).catch(() => null);
      const leader = started === null ? null : findLeader(started);
      if (leader === null) continue;
      await endProcesses({ leader, invocation: this.#invocationOf(index) }, this.#context.clock);
    }
  }

  /**
   * Returns the id by which a script's processes are found. Each script has an id of its own. So ending one
   * script does not end background processes of other scripts.
   */
  #invocationOf(index: number): string {
    return `${this.#plan.invocation}-${index}`;
  }
}

function describe({ id, label, type }: PlannedScript): string {
  return `${NAMES[type]} ${id} (${label})`;
}

/**
 * Returns the type of the scripts that depend on the backup's outcome. They run after the backup, before the
 * postscripts. Returns null for a cancelled run, because only postscripts run after it.
 */
function typeAfter(outcome: Verdict["outcome"]): ScriptType | null {
  if (outcome === "cancelled") return null;
  return outcome === "succeeded" ? "after_success" : "after_failure";
}

/**
 * Adds the failed scripts to a verdict. If the backup was stored, it stays stored, but the run counts as
 * failed.
 */
function withFailures(verdict: Verdict, failed: readonly string[]): Verdict {
  if (failed.length === 0) return verdict;
  const scripts = `${failed.length === 1 ? "A script" : "Scripts"} failed: ${failed.join("; ")}.`;
  if (verdict.outcome !== "succeeded") {
    return { ...verdict, reason: `${verdict.reason} ${scripts}`.slice(0, MAX_REASON) };
  }
  if (!("backup" in verdict)) return verdict;
  const { backup, warnings_count } = verdict;
  return {
    outcome: "failed",
    warnings_count,
    reason: `The backup is stored. ${scripts}`.slice(0, MAX_REASON),
    leftovers: backup.objects.map(({ name }) => name),
    backup,
  };
}
