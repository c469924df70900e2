/**
 * The conditions that must hold after every plan, once all faults are repaired. Each has a description, and a
 * time within which it must hold.
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
  /** Milliseconds since the repair, or since the invariant before was checked. */
  readonly bound: number;
  /** Returns a line for every violation; empty if the condition holds. */
  check(stage: Stage): Promise<string[]>;
}

/** Milliseconds after its deadline by which a run must have ended. The reaper runs every five seconds. */
const LATE = 12_000;

/** Checked in this order: later ones rely on the time that earlier ones have waited. */
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

/** Returns the violations, as text that a person can act on. Rejects if the harness itself failed. */
export async function findBroken(stage: Stage): Promise<string[]> {
  const broken: string[] = [];
  for (const { bound, check, words } of INVARIANTS) {
    const problems = await lasting(() => check(stage), bound);
    const told = problems.slice(0, 10).map((problem) => `    ${problem}`);
    if (problems.length > told.length) told.push(`    … and ${problems.length - told.length} more`);
    if (problems.length > 0) broken.push(`broken: ${words}\n${told.join("\n")}`);
    // Pause the tasks, so that no further run starts.
    if (check === dueTimesHandled) await pause(stage);
  }
  return broken;
}

/** Returns what is left after every task is deleted with its backups; it must be nothing. */
export async function findLeft(world: World): Promise<string[]> {
  return [
    ...await lasting(() => objectsMatchRows({ world }), 45_000),
    ...await lasting(() => nothingLeft({ world }), 30_000),
  ];
}

/** Returns the problems that remain after the bound. */
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
 * Also checks the deadline of each state, so that an agent that returns does not hide a run that the reaper
 * overlooked.
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
 * Records runs that are past their deadline for too long. A wrong clock may set a deadline in the past, so
 * the time is measured from when it was first seen.
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
