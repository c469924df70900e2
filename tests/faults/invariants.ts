/**
 * The conditions that must hold after every plan, once all faults are repaired. Each condition has a
 * description, and a time limit within which it must hold.
 */
import type { Stage } from "./stage.ts";
import { dueTimesHandled } from "./due_times.ts";
import { nothingLeft, objectsMatchRows } from "./leftovers.ts";
import { outputIsWhole } from "./output.ts";
import { scriptsRanOnce } from "./scripts.ts";
import { successesRestore } from "./restorable.ts";
import type { World } from "./world.ts";

export interface Invariant {
  readonly words: string;
  /**
   * Time limit in milliseconds. For the first invariant, it counts from the repair of all faults. For every
   * other invariant, it counts from the end of the previous check.
   */
  readonly bound: number;
  /** Returns a line for every violation; no lines if the condition holds. */
  check(stage: Stage): Promise<string[]>;
}

/** Maximum time from a run's deadline to its end, in milliseconds. The reaper runs every five seconds. */
const LATE = 12_000;

/**
 * The invariants in the order in which they are checked. The earlier checks take time, too. So between the
 * repair of the faults and the end of its own limit, a later invariant has more time than this limit.
 */
export const INVARIANTS: readonly Invariant[] = [
  {
    words: "each due time fired once, was folded into the one catch-up, or is recorded as skipped",
    bound: 45_000,
    check: dueTimesHandled,
  },
  { words: "each run is terminal within its bound", bound: 45_000, check: runsAreTerminal },
  { words: "no agent and no control plane ended by itself", bound: 0, check: nothingEnded },
  {
    words: "no backup without its row, no row without its objects; what runs left half-made is cleared away",
    bound: 45_000,
    check: objectsMatchRows,
  },
  {
    words: "no temporary file, journal, open upload or child process is left",
    bound: 30_000,
    check: nothingLeft,
  },
  {
    words: "each script ran at most once, and a postscript followed each prescript",
    bound: 15_000,
    check: scriptsRanOnce,
  },
  {
    words: "output is complete up to the cap, in order, each line once",
    bound: 0,
    check: outputIsWhole,
  },
  {
    words: "no success without a backup that stock zstd and tar restore to what the source is",
    bound: 0,
    check: successesRestore,
  },
];

/**
 * Returns a description of each violation, as text that a person can act on. Rejects if the harness itself
 * failed.
 */
export async function findBroken(stage: Stage): Promise<string[]> {
  const broken: string[] = [];
  for (const { bound, check, words } of INVARIANTS) {
    const problems = await lasting(() => check(stage), bound);
    const told = problems.slice(0, 10).map((problem) => `    ${problem}`);
    if (problems.length > told.length) told.push(`    … and ${problems.length - told.length} more`);
    if (problems.length > 0) broken.push(`broken: ${words}\n${told.join("\n")}`);
    // Pauses the tasks, so that no further run starts.
    if (check === dueTimesHandled) await pause(stage);
  }
  return broken;
}

/** Returns everything that remains after every task is deleted with its backups. Nothing should remain. */
export async function findLeft(world: World): Promise<string[]> {
  return [
    ...await lasting(() => objectsMatchRows({ world }), 45_000),
    ...await lasting(() => nothingLeft({ world }), 30_000),
  ];
}

/**
 * Repeats the check until it finds no problems, or until `bound` milliseconds have passed. Returns the
 * problems that the last check found.
 */
async function lasting(check: () => Promise<string[]>, bound: number): Promise<string[]> {
  const end = performance.now() + bound;
  for (;;) {
    const problems = await check();
    if (problems.length === 0 || performance.now() > end) return problems;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function pause({ tasks, world }: Stage): Promise<void> {
  for (const { id } of tasks) {
    const { body, status } = await world.call("POST", `/backup-tasks/${id}/pause`);
    if (status !== 200) throw new Error(`Cannot pause task ${id}: ${status} ${JSON.stringify(body)}`);
  }
}

/**
 * Returns a problem for each run that has not ended, and for each late run. A run is late if it went on for
 * too long after a deadline. A late run is a problem even if it has ended. The reaper might have overlooked
 * it, and it might have ended only because its agent came back.
 */
async function runsAreTerminal(stage: Stage): Promise<string[]> {
  const { late, tasks, world } = stage;
  const ids = tasks.map(({ id }) => id);
  await noteLate(stage, ids);
  const rows = await world.sql((sql) =>
    sql<{ id: number; state: string; attempt: number; deadline_at: Date | null }[]>`
      select id, state, attempt, deadline_at from runs
      where backup_task_id = any(${ids}::bigint[]) and finished_at is null`
  );
  return [
    ...[...late].map((id) => `run ${id} went on for more than ${LATE / 1000} s after its deadline`),
    ...rows.map(({ attempt, deadline_at, id, state }) =>
      `run ${id} is still ${state} in attempt ${attempt}, until ${deadline_at?.toISOString()}`
    ),
  ];
}

/**
 * Records in `late` each run that is seen past its deadline for longer than `LATE`. The time starts when the
 * run is first seen past its deadline. It does not start at the deadline itself, because a control plane with
 * a wrong clock might set a deadline in the past.
 */
async function noteLate({ late, overdue, world }: Stage, taskIds: readonly number[]): Promise<void> {
  const rows = await world.sql((sql) =>
    sql<{ id: number }[]>`
      select id from runs where backup_task_id = any(${[...taskIds]}::bigint[]) and deadline_at < now()`
  );
  const found = new Set(rows.map(({ id }) => id));
  for (const id of overdue.keys()) if (!found.has(id)) overdue.delete(id);
  for (const id of found) {
    const since = overdue.get(id) ?? performance.now();
    overdue.set(id, since);
    if (performance.now() - since > LATE) late.add(id);
  }
}

function nothingEnded({ world }: Stage): Promise<string[]> {
  const supervisors = [...world.agents, ...world.planes].map(({ supervisor }) => supervisor);
  return Promise.resolve(supervisors.flatMap(({ ends }) => ends.splice(0)));
}
