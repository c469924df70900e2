/** Runs that an earlier agent was killed in: what they left is cleared away, and the journal says so. */
import type { Clock } from "../src/domain/clock.ts";
import type { Job } from "../src/protocol/job.ts";
import { Children } from "./engine/programs/children.ts";
import { exists } from "./engine/exists.ts";
import { replacedPath } from "./engine/restore_files/restore_directory.ts";
import { removeTree } from "./engine/remove_tree.ts";
import { undo } from "./engine/restore_files/undo.ts";
import type { Journal, RunJournal } from "./journal.ts";
import type { StateDirectory } from "./state_directory.ts";

/** What the output calls a run, at its start and end. */
export const NAMES: Record<Job["kind"], string> = {
  backup: "Backup",
  restore: "Restore",
  verify: "Verification",
  drill: "Restore drill",
};

/** What became of the work of a run that the agent was killed in. */
const LOST: Record<Job["kind"], string> = {
  backup: "What it had stored is removed.",
  restore: "What it had unpacked is removed.",
  verify: "Nothing is known of the backup that was not known before.",
  drill: "What it had unpacked is removed, a scratch database is dropped by the next drill.",
};

export interface Killed {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly state: StateDirectory;
}

/** Each gets its verdict in the journal. */
export async function endKilledRuns(killed: Killed): Promise<void> {
  for (const run of killed.journal.all()) if (!run.finished) await end(run, killed);
  await killed.state.clearWork();
}

async function end(run: RunJournal, { clock, state }: Killed): Promise<void> {
  for (const { path } of run.openings) {
    if (path !== null) await Deno.remove(path).catch(ignoreMissing);
  }
  const placed = await undoPlaced(run, state, clock);
  const kept: string[] = [];
  for (const path of run.scratches) await removeTree(path, clock).catch(() => kept.push(path));
  const reason = `The agent was restarted while the run was at work. ${LOST[run.kind]}${placed}` +
    kept.map((path) => ` ${path} can't be removed: remove it by hand.`).join("");
  run.append({
    kind: "output",
    text: `${clock.now().toISOString()} ${NAMES[run.kind]} failed: ${reason}\n`,
  });
  await run.finish({
    kind: "finished",
    verdict: {
      outcome: "failed",
      warnings_count: 0,
      reason,
      leftovers: run.openings.map(({ name }) => name),
    },
  });
}

/** Takes back what a restore had begun to put into its place. Says what came of it. */
async function undoPlaced({ runId, attempt, scratches }: RunJournal, state: StateDirectory, clock: Clock) {
  await using children = new Children(clock, new AbortController().signal);
  try {
    const place = await undo(state.workDirectory(runId, attempt), children, clock);
    if (place !== null) return ` It was putting files into ${place}, which is as it was before.`;
  } catch (error) {
    return ` ${(error as Error).message}.`;
  }
  // Killed when all was in its place: only what was replaced was still to be removed.
  for (const aside of scratches.map(replacedPath)) {
    if (await exists(aside)) {
      return ` It had put files into their place: what it replaced is kept in ${aside}.`;
    }
  }
  return "";
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
