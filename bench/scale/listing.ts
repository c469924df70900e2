/** Measures how long pages of a workspace's list of logs take, with a million logs. */
import { systemClock } from "../../src/domain/clock.ts";
import { median, percentile, print, type Result } from "../result.ts";
import { scaled, ScaleStage } from "./stage.ts";

const CALLS = 50;

export async function benchScaleListing(): Promise<Result[]> {
  const logs = scaled(1_000_000);
  await using stage = await ScaleStage.open();
  const { ids, destinationId } = await stage.plantServers(100);
  await stage.plantTasks(ids, destinationId, 10);
  const now = systemClock.now();
  await stage.sql`
    insert into runs (user_id, workspace_id, kind, backup_task_id, remote_server_id, backup_destination_id, trigger, scheduled_for,
      state, attempt, output_compacted, created_at, started_at, finished_at)
    select t.user_id, t.workspace_id, 'backup', t.id, t.remote_server_id, t.backup_destination_id, 'schedule', ${now},
      'succeeded', 1, true, ${now}, ${now}, ${now}
    from generate_series(1, ${logs}) as n
    join (select *, row_number() over (order by id) as position from backup_tasks) t on t.position = 1 + n % 1000`;
  await stage.sql`
    insert into run_output (run_id, sequence, text, sequences, ends)
    select id, 1, repeat('what a backup program says as it works' || E'\n', 20), '{1}', '{780}' from runs`;
  await stage.sql`vacuum analyze`;
  const { api } = stage;
  const pages = Math.ceil(logs / 15);
  const results: Result[] = [];
  for (
    const [name, page] of [["first", 1], ["middle", Math.ceil(pages / 2)], ["last", pages]] as const
  ) {
    const path = `/backup-task-logs?page=${page}`;
    const times: number[] = [];
    for (let call = -5; call < CALLS; call++) {
      const start = performance.now();
      const { status, body } = await api.call("GET", path);
      if (call >= 0) times.push(performance.now() - start);
      if (status !== 200 || body.meta.total !== logs) {
        throw new Error(`${path}: ${status} ${body.meta?.total}`);
      }
    }
    const [half, most] = [median(times), percentile(times, 95)];
    print(`${name} page: median ${half.toFixed(1)} ms, 95th percentile ${most.toFixed(1)} ms`);
    results.push({
      name: `The ${name} page of ${logs} logs, with the exact total`,
      ours: `${half.toFixed(1)} ms, 95th percentile ${most.toFixed(1)} ms`,
      peer: "—",
      ratio: `${(half / 50).toFixed(2)} of the bar`,
      bar: "under 50 ms",
      holds: half < 50,
    });
  }
  return results;
}
