/** Measures how many lines of output from 100 agents are stored per second, and whether any line is lost. */
import { systemClock } from "../src/domain/clock.ts";
import { createEnrolmentToken, enrolAgent } from "../src/services/servers/enrolment.ts";
import { startRun } from "../src/services/runs/runs.ts";
import { serve } from "../tests/support/servers/control_plane.ts";
import { testServices } from "../tests/support/fixtures/database.ts";
import { AGENT, plant, type Planted } from "../tests/support/fixtures/planted.ts";
import { until } from "../tests/support/assertions/until.ts";
import type { Result } from "./result.ts";

const AGENTS = 100;
const LINES_PER_SECOND = 220;
const SECONDS = 30;

export async function benchIngest(): Promise<Result[]> {
  await using test = await testServices();
  const services = { ...test.services, clock: systemClock };
  await using stack = new AsyncDisposableStack();
  const { url, hub } = await serve(services, stack);
  const planted: Planted[] = [];
  const keys: string[] = [];
  for (let i = 0; i < AGENTS; i++) {
    const one = await plant(services);
    const { token } = await createEnrolmentToken(services, one.caller, one.serverId, 600);
    keys.push((await enrolAgent(services, token, AGENT)).agentKey);
    planted.push(one);
  }
  const agents = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("ingest_agents.ts", import.meta.url).pathname],
    stdin: "piped",
  }).spawn();
  const order = new Response(
    JSON.stringify({ url, keys, linesPerSecond: LINES_PER_SECOND, seconds: SECONDS }),
  );
  await order.body!.pipeTo(agents.stdin);
  await until(() => hub.connectedServers().length === AGENTS, 60_000);
  const start = performance.now();
  await Promise.all(planted.map(({ caller, taskId }) => startRun(services, caller, taskId)));
  await agents.status;
  await until(async () => {
    const [row] = await services.database`select count(*)::int as count from runs where state <> 'succeeded'`;
    return row!.count === 0;
  }, 120_000);
  const seconds = (performance.now() - start) / 1000;
  const [stored] = await services.database<{ lines: number }[]>`
    select sum(char_length(text) - char_length(replace(text, E'\n', ''))) as lines from run_output`;
  const [distinct] = await services.database<{ lines: number }[]>`
    select count(distinct (run_id, line)) as lines
    from run_output, unnest(string_to_array(rtrim(text, E'\n'), E'\n')) as line`;
  const expected = AGENTS * LINES_PER_SECOND * SECONDS;
  const lines = Number(stored!.lines);
  const rate = lines / seconds;
  return [
    {
      name: `Output of ${AGENTS} agents, stored and acknowledged`,
      ours: `${rate.toFixed(0)} lines/s for ${seconds.toFixed(1)} s`,
      peer: `${(AGENTS * LINES_PER_SECOND)} lines/s sent`,
      ratio: (rate / (AGENTS * LINES_PER_SECOND)).toFixed(2),
      bar: "at least 20000 lines/s",
      holds: rate >= 20_000,
    },
    {
      name: "… and none is lost or doubled",
      ours: `${lines} lines, ${distinct!.lines} different`,
      peer: `${expected} sent`,
      ratio: (lines / expected).toFixed(4),
      bar: "exactly 1",
      holds: lines === expected && Number(distinct!.lines) === expected,
    },
  ];
}
