/** Measures 2,000 simultaneous runs with output, on 10,000 connected agents. */
import { systemClock } from "../../src/domain/clock.ts";
import { until } from "../../tests/support/assertions/until.ts";
import { print, type Result } from "../result.ts";
import { scaled, ScaleStage } from "./stage.ts";

const LINES_PER_SECOND = 5;
const SECONDS = 90;

export async function benchScaleRuns(): Promise<Result[]> {
  const agents = scaled(10_000);
  const running = scaled(2_000);
  await using stage = await ScaleStage.open();
  const { ids, keys, destinationId } = await stage.plantServers(agents);
  await stage.plantTasks(ids.slice(0, running), destinationId, 1);
  await stage.startAgents({ keys, linesPerSecond: LINES_PER_SECOND, seconds: SECONDS });
  await stage.allConnected(agents);
  const start = performance.now();
  const since = () => (performance.now() - start) / 1000;
  await stage.makeDue(systemClock.now());
  const count = async (states: string[]) => {
    const [row] = await stage.sql<{ count: number }[]>`
      select count(*)::int as count from runs where state = any(${states}::text[])`;
    return row!.count;
  };
  let most = 0;
  let inFlight = NaN;
  await until(async () => {
    await systemClock.sleep(250);
    const now = await count(["running"]);
    most = Math.max(most, now);
    if (now === running && Number.isNaN(inFlight)) inFlight = since();
    return await count(["succeeded", "failed", "cancelled", "lost"]) === running;
  }, 300_000);
  const seconds = since();
  const lag = await stage.metric("rearguard_event_loop_lag_seconds");
  const succeeded = await count(["succeeded"]);
  const [stored] = await stage.sql<{ lines: number; different: number }[]>`
    select count(*)::int as lines, count(distinct (run_id, substring(line from 'line \\d+')))::int as different
    from run_output, unnest(string_to_array(rtrim(text, E'\n'), E'\n')) as line`;
  const expected = running * LINES_PER_SECOND * SECONDS;
  print(
    `in flight after ${inFlight.toFixed(1)} s, all over after ${seconds.toFixed(1)} s, loop lag ${lag} s`,
  );
  return [
    {
      name: `Runs in flight at once, of ${agents} connected agents`,
      ours: `${most}, all over ${(seconds - SECONDS).toFixed(1)} s after ${SECONDS} s of work`,
      peer: `${running} due`,
      ratio: (most / running).toFixed(3),
      bar: "all of them at once, all succeed",
      holds: most === running && succeeded === running,
    },
    {
      name: "… their output",
      ours: `${stored!.lines} lines, ${stored!.different} different`,
      peer: `${expected} said, ${running * LINES_PER_SECOND}/s`,
      ratio: (stored!.lines / expected).toFixed(4),
      bar: "exactly 1",
      holds: stored!.lines === expected && stored!.different === expected,
    },
  ];
}
