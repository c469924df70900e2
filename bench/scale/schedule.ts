/**
 * Measures how long it takes to start 100,000 runs whose tasks are due at the same time. Measures this with
 * one control plane and with two.
 */
import { systemClock } from "../../src/domain/clock.ts";
import { until } from "../../tests/support/assertions/until.ts";
import { print, type Result } from "../result.ts";
import { scaled, ScaleStage } from "./stage.ts";

const EACH = 100;

export async function benchScaleSchedule(): Promise<Result[]> {
  const servers = scaled(1_000);
  const tasks = servers * EACH;
  await using stage = await ScaleStage.open();
  const { ids, destinationId } = await stage.plantServers(servers);
  await stage.plantTasks(ids, destinationId, EACH);
  const results: Result[] = [];
  for (const planes of [1, 2]) {
    if (planes === 2) await stage.start();
    // `truncate` locks these tables in a different order than the control planes. If this causes a deadlock,
    // `until` tries again.
    await until(() =>
      stage.sql`truncate runs, skipped_schedules cascade`.then(() => true, (error) => {
        if (error.code !== "40P01") throw error;
        return false;
      })
    );
    const at = new Date(Math.ceil(systemClock.now().getTime() / 1000) * 1000 + 5_000);
    await stage.makeDue(at);
    const count = async () => {
      const [row] = await stage.sql<{ runs: number }[]>`select count(*)::int as runs from runs`;
      return row!.runs;
    };
    await until(async () => {
      await systemClock.sleep(250);
      return await count() >= tasks;
    }, 600_000);
    const seconds = (systemClock.now().getTime() - at.getTime()) / 1000;
    // Waits until no task is due. If a task is started twice, the count below then includes its second run.
    await until(async () => {
      const [row] = await stage.sql`select count(*)::int as due from backup_tasks where next_run_at <= now()`;
      return row!.due === 0;
    });
    const [found] = await stage.sql<{ runs: number; tasks: number; early: number; skipped: number }[]>`
      select count(*)::int as runs, count(distinct backup_task_id)::int as tasks,
        count(*) filter (where created_at < ${at} or scheduled_for <> ${at})::int as early,
        (select count(*)::int from skipped_schedules) as skipped
      from runs`;
    const { runs, early, skipped } = found!;
    print(`${planes} control planes: ${JSON.stringify(found)} in ${seconds.toFixed(1)} s`);
    results.push({
      name: `${tasks} tasks due at once, ${planes === 1 ? "one control plane" : "two control planes"}`,
      ours: `${runs} fired, ${found!.tasks} different, in ${seconds.toFixed(1)} s`,
      peer: `${tasks} due`,
      ratio: (runs / tasks).toFixed(4),
      bar: "each once, within the minute",
      holds: runs === tasks && found!.tasks === tasks && early === 0 && skipped === 0 && seconds <= 60,
    });
  }
  return results;
}
