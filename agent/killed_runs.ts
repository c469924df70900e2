/**
 * Cleans up after the runs that were active when an earlier agent process was killed, and records their
 * verdicts.
 */
import type { Clock } from "../src/domain/clock.ts";
import type { Job } from "../src/protocol/job.ts";
import type { Verdict } from "../src/protocol/wire_messages.ts";
import { Children } from "./engine/programs/children.ts";
import { exists } from "./engine/exists.ts";
import { replacedPath } from "./engine/restore_files/restore_directory.ts";
import { removeTree } from "./engine/remove_tree.ts";
import { undo } from "./engine/restore_files/undo.ts";
import type { ScriptPlan } from "./engine/scripts/script_plan.ts";
import type { Journal, RunJournal } from "./journal.ts";
import type { StateDirectory } from "./state_directory.ts";

/** Names of the job types in the output and the log. */
export const NAMES: Record<Job["kind"], string> = {
  backup: "Backup",
  restore: "Restore",
  verify: "Verification",
  drill: "Restore drill",
};

/**
 * Sentences for the verdict of a run whose agent was killed. They say what happened to the unfinished work.
 */
const OUTCOMES: Record<Job["kind"], string> = {
  backup: "What it had stored is removed.",
  restore: "What it had unpacked is removed.",
  verify: "The verification state of the backup is unchanged.",
  drill: "What it had unpacked is removed, a scratch database is dropped by the next drill.",
};

export interface KilledRunsContext {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly state: StateDirectory;
}

/** A run with scripts that have not been run. */
export interface PendingScripts {
  readonly run: RunJournal;
  readonly plan: ScriptPlan;
  readonly verdict: Verdict;
}

/**
 * Gives every unfinished run in the journal a verdict, and empties the work directory. Finishes each run
 * that has no scripts left to run. Returns the other runs: their scripts must run before their verdicts
 * are reported.
 */
export async function endKilledRuns(context: KilledRunsContext): Promise<PendingScripts[]> {
  const pending: PendingScripts[] = [];
  for (const run of context.journal.all()) {
    if (run.finished) continue;
    const verdict = run.scripts.verdict ?? await cleanUp(run, context);
    const { plan } = run.scripts;
    if (plan === null) await run.finish({ kind: "finished", verdict });
    else pending.push({ run, plan, verdict });
  }
  await context.state.clearWork();
  await context.state.clearScripts(pending.map(({ plan }) => plan.directory));
  return pending;
}

/** Removes the unfinished work of a run. Returns the run's verdict. */
async function cleanUp(run: RunJournal, { clock, state }: KilledRunsContext): Promise<Verdict> {
  for (const { path } of run.openings) {
    if (path !== null) await Deno.remove(path).catch(ignoreMissing);
  }
  const undone = await undoPublishing(run, state, clock);
  const unremovable: string[] = [];
  for (const path of run.scratches) await removeTree(path, clock).catch(() => unremovable.push(path));
  const reason = `The agent was restarted while the run was active. ${OUTCOMES[run.kind]}${undone}` +
    unremovable.map((path) => ` ${path} can't be removed: remove it by hand.`).join("");
  run.append({
    kind: "output",
    text: `${clock.now().toISOString()} ${NAMES[run.kind]} failed: ${reason}\n`,
  });
  const leftovers = run.openings.map(({ name }) => name);
  return { outcome: "failed", warnings_count: 0, reason, leftovers };
}

/**
 * Undoes a restore that was publishing its files. If the restore had published all files, undoes nothing.
 * Returns a sentence for the verdict's reason. The sentence is about the undo, or about replaced files that
 * are kept. It is empty if there was nothing to undo and no replaced files are kept.
 */
async function undoPublishing(
  { runId, attempt, scratches }: RunJournal,
  state: StateDirectory,
  clock: Clock,
) {
  await using children = new Children(clock, new AbortController().signal);
  try {
    const directory = await undo(state.workDirectory(runId, attempt), children, clock);
    if (directory !== null) return ` It was putting files into ${directory}, which is as it was before.`;
  } catch (error) {
    return ` ${(error as Error).message}.`;
  }
  // There is no undo plan. So if the directory of replaced files exists, the restore had published all files.
  for (const replaced of scratches.map(replacedPath)) {
    if (await exists(replaced)) {
      return ` It had put files into their place: what it replaced is kept in ${replaced}.`;
    }
  }
  return "";
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
