/**
 * Carries out plans one after the other in one world: with the same Postgres, control planes, agents and
 * destinations. Collects the violations and the injected faults.
 */
import { ignoreConnectionResets } from "../../src/process/lost_connections.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { findBroken, findLeft } from "./invariants.ts";
import { describePlan, planOf } from "./plan.ts";
import { Stage } from "./stage.ts";
import { FaultCounts } from "./fault_counts.ts";
import { World } from "./world.ts";

export interface Outcome {
  readonly seed: number;
  readonly plan: readonly string[];
  /** Descriptions of the violations; empty if all conditions hold. */
  readonly broken: readonly string[];
  readonly seconds: number;
  /**
   * The second of the minute in which the plan's faults began. The second matters because due times are full
   * minutes.
   */
  readonly second: number;
}

export interface PlanResults {
  readonly outcomes: readonly Outcome[];
  readonly tally: FaultCounts;
  /** Descriptions of leftovers after every task is deleted with its backups; empty if there are none. */
  readonly left: readonly string[];
}

/**
 * Carries out one plan for each seed.
 *
 * @param tell Called before and after each plan.
 * @param options.signal Once the signal aborts, no further plan begins.
 * @param options.second Each plan begins in this second of a minute; null for any second.
 */
export async function carryOutPlans(
  seeds: readonly number[],
  tell: (event: { plan: readonly string[] } | Outcome) => void = () => {},
  { signal = null, second = null }: { signal?: AbortSignal | null; second?: number | null } = {},
): Promise<PlanResults> {
  ignoreConnectionResets();
  const tally = new FaultCounts();
  const outcomes: Outcome[] = [];
  await using world = await World.open();
  for (const seed of seeds) {
    if (signal?.aborted) break;
    const plan = planOf(seed);
    const described = describePlan(plan);
    tell({ plan: described });
    const started = performance.now();
    await world.run(plan.controlPlanes);
    world.spoken.clear();
    if (second !== null) await comes(second);
    const began = systemClock.now().getUTCSeconds();
    const broken = await tryPlan(new Stage(world, plan, tally), tally);
    const seconds = (performance.now() - started) / 1000;
    outcomes.push({ seed, plan: described, broken, seconds, second: began });
    tell(outcomes.at(-1)!);
  }
  return { outcomes, tally, left: await findLeft(world) };
}

async function tryPlan(stage: Stage, tally: FaultCounts): Promise<string[]> {
  const { world } = stage;
  await stage.carryOut();
  const broken = [
    ...stage.failures.map((failure) => `the harness failed: ${failure}`),
    ...await findBroken(stage),
  ];
  for (const { count, state } of await endsOf(stage)) tally.count(`runs that ended ${state}`, count);
  for (const { id } of stage.tasks) {
    const { status } = await world.call("DELETE", `/backup-tasks/${id}?with_backups=true`);
    if (status !== 200 && status !== 204) broken.push(`task ${id} can't be deleted: ${status}`);
  }
  return broken;
}

/** Resolves when the clock reaches this second of a minute. */
async function comes(second: number): Promise<void> {
  while (systemClock.now().getUTCSeconds() !== second) await systemClock.sleep(50);
}

async function endsOf({ tasks, world }: Stage): Promise<{ state: string; count: number }[]> {
  const ids = tasks.map(({ id }) => id);
  return await world.sql((sql) =>
    sql<{ state: string; count: number }[]>`
      select state, count(*)::int as count from runs where backup_task_id = any(${ids}::bigint[]) group by state`
  );
}
