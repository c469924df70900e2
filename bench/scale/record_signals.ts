/**
 * Triggers announce the changes of runs. Measures how much longer Postgres takes to store progress because of
 * this. Each run is in a workspace of its own. Otherwise, several runs would share one notification.
 */
import { systemClock } from "../../src/domain/clock.ts";
import type { Database } from "../../src/store/database/sql.ts";
import { claimAssignments } from "../../src/services/runs/dispatch.ts";
import { recordEvents, type ReportedEvent } from "../../src/services/runs/run_events.ts";
import { startRun } from "../../src/services/runs/runs.ts";
import { event } from "../../tests/support/clients/events.ts";
import { testServices } from "../../tests/support/fixtures/database.ts";
import { plant } from "../../tests/support/fixtures/planted.ts";
import { processorTime } from "../../tests/runner/processor_time.ts";
import { median, type Result } from "../result.ts";

const RUNS = 20;
const ROUNDS = 7;
/** Transactions in one round. */
const TRANSACTIONS = 1500;

export async function benchRecordSignals(): Promise<Result[]> {
  await using test = await testServices({ now: systemClock.now() });
  const { services, database } = test;
  const runs: { serverId: number; run: { runId: number; attempt: number } }[] = [];
  for (let n = 0; n < RUNS; n++) {
    const { caller, serverId, taskId } = await plant(services);
    await startRun(services, caller, taskId);
    const [run] = await claimAssignments(services, [serverId]);
    await recordEvents(services, [event(serverId, run!, 1, { kind: "accepted" })]);
    runs.push({ serverId, run: run! });
  }
  let sequence = 1;
  const progress = ({ serverId, run }: typeof runs[number]): ReportedEvent =>
    event(serverId, run, sequence, {
      kind: "progress",
      bytes_read: sequence * 1000,
      bytes_written: sequence * 400,
      files_count: sequence,
      bytes_per_second: 1000,
      eta_seconds: 5,
    });
  const results: Result[] = [];
  for (const each of [1, RUNS]) {
    const times = { with: [] as number[], without: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const which of ["with", "without"] as const) {
        await database.unsafe(
          `alter table runs ${which === "with" ? "enable" : "disable"} trigger signal_update`,
        );
        const before = await postgresTime(database);
        for (let n = 0; n < TRANSACTIONS; n++) {
          sequence++;
          await recordEvents(services, runs.slice(0, each).map(progress));
        }
        times[which].push((await postgresTime(database) - before) * 1000 / TRANSACTIONS);
      }
    }
    const [ours, peer] = [median(times.with), median(times.without)];
    results.push({
      name: `Postgres' time for the progress of ${each} run${each === 1 ? "" : "s"}, announced`,
      ours: `${ours.toFixed(2)} ms`,
      peer: `not announced ${peer.toFixed(2)} ms`,
      ratio: `${((ours - peer) / each).toFixed(3)} ms more for each`,
      bar: "at most 0.1 ms more",
      holds: (ours - peer) / each <= 0.1,
    });
  }
  return results;
}

/** Returns the processor time that the connections to this database have used, in seconds. */
async function postgresTime(sql: Database): Promise<number> {
  const rows = await sql<{ pid: number }[]>`
    select pid from pg_stat_activity where datname = current_database() order by pid`;
  const times = await Promise.all(rows.map(({ pid }) => processorTime(pid)));
  return times.reduce<number>((sum, time) => sum + (time ?? 0), 0);
}
