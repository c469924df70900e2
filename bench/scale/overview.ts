/**
 * Measures the overview and the histories of a workspace with 1,000 tasks and 100,000 runs, each with its
 * backup.
 */
import { systemClock } from "../../src/domain/clock.ts";
import { until } from "../../tests/support/assertions/until.ts";
import { median, percentile, print, type Result } from "../result.ts";
import { scaled, ScaleStage } from "./stage.ts";

const CALLS = 50;

export async function benchScaleOverview(): Promise<Result[]> {
  const runs = scaled(100_000);
  await using stage = await ScaleStage.open();
  const { ids, destinationId } = await stage.plantServers(100);
  await stage.plantTasks(ids, destinationId, 10);
  const now = systemClock.now();
  await stage.sql`
    insert into runs (user_id, workspace_id, kind, backup_task_id, remote_server_id, backup_destination_id, trigger, state, attempt,
      output_compacted, created_at, started_at, finished_at)
    select t.user_id, t.workspace_id, 'backup', t.id, t.remote_server_id, t.backup_destination_id, 'schedule', 'succeeded', 1, true,
      at, at, at
    from generate_series(1, ${runs}) as n
    join (select *, row_number() over (order by id) as position from backup_tasks) t on t.position = 1 + n % 1000
    cross join lateral (select ${now}::timestamptz - (${runs} - n) * interval '1 minute' as at) times`;
  await stage.sql`
    insert into backups (user_id, workspace_id, backup_task_id, run_id, backup_destination_id, remote_server_id, directory, file_name,
      size, sha256, engine, encrypted, bytes_read, warnings_count, duration_ms, created_at)
    select user_id, workspace_id, backup_task_id, id, backup_destination_id, remote_server_id, '/', 'backup_' || id, 1000,
      repeat('0', 64), 'tar', false, 1000, 0, 1000, created_at
    from runs`;
  await historyMerged(stage);
  await stage.sql`vacuum analyze`;
  const tasks = Array.from({ length: 100 }, (_, index) => index + 1);
  return [
    await timed(stage, "/overview", `The overview of 1,000 tasks with ${runs} runs and backups`),
    await timed(stage, "/backup-tasks?protection=late&sort=protection", "The first late tasks of them"),
    await timed(stage, "/history/days", "Their runs by day and outcome, for a year"),
    await timed(stage, "/history/storage", "Their stored bytes by day, for a year"),
    await timed(stage, `/history/strips?ids=${tasks}`, "The outcomes of the last 30 runs of 100 tasks"),
    await timed(stage, "/backup-tasks/1/history", "The last 200 runs of a task"),
    await timed(stage, "/history/proofs", "The last verification and drill of each task"),
    await timed(stage, `/backup-destinations/${destinationId}`, "A destination with its usage"),
    await timed(stage, "/remote-servers/connectivity", "30 days of the connections of 100 servers"),
  ];
}

/** Waits until the histories contain the planted rows. Housekeeping adds them to the histories. */
async function historyMerged({ sql }: ScaleStage): Promise<void> {
  await until(async () => {
    await systemClock.sleep(1000);
    const [row] = await sql<{ isMerged: boolean }[]>`
      select not exists (select from run_history_changes) and not exists (select from storage_history_changes)
        as "isMerged"`;
    return row!.isMerged;
  }, 300_000);
}

async function timed(stage: ScaleStage, path: string, name: string): Promise<Result> {
  const times: number[] = [];
  for (let call = -5; call < CALLS; call++) {
    const start = performance.now();
    const { status } = await stage.api.call("GET", path);
    if (call >= 0) times.push(performance.now() - start);
    if (status !== 200) throw new Error(`${path}: ${status}`);
  }
  const [half, most] = [median(times), percentile(times, 95)];
  print(`${path}: median ${half.toFixed(1)} ms, 95th percentile ${most.toFixed(1)} ms`);
  return {
    name,
    ours: `${half.toFixed(1)} ms, 95th percentile ${most.toFixed(1)} ms`,
    peer: "—",
    ratio: `${(half / 50).toFixed(2)} of the bar`,
    bar: "under 50 ms",
    holds: half < 50,
  };
}
