/**
 * Measures what 10,000 agents cost one control plane, and how the agents reconnect after the control plane
 * restarts.
 */
import { systemClock } from "../../src/domain/clock.ts";
import { percentile, print, type Result } from "../result.ts";
import { SCALE, scaled, ScaleStage } from "./stage.ts";

const SIZES = [100, 1_000, 10_000];
/**
 * Milliseconds to wait before measuring: enough for two rounds of pings, and for the garbage collection after
 * connecting.
 */
const SETTLE = 45_000;
const WATCH = 20_000;

interface Measurement {
  agents: number;
  connectedIn: number;
  memory: number;
  processor: number;
  lag: number;
  restartedIn: number;
  killedIn: number;
  /** The share of the agents that reconnected in the busiest second, from 0 to 1. */
  busiest: number;
}

export async function benchScaleAgents(): Promise<Result[]> {
  const curve: Measurement[] = [];
  for (const size of new Set(SIZES.map(scaled))) curve.push(await measure(size));
  print("agents  connected in  memory each  processor idle  loop lag  back after restart  after kill -9");
  for (const one of curve) {
    print([
      String(one.agents).padEnd(6),
      `${one.connectedIn.toFixed(1)} s`.padEnd(12),
      `${kilobytes(one.memory)}`.padEnd(11),
      `${(one.processor * 100).toFixed(1)} %`.padEnd(14),
      `${(one.lag * 1000).toFixed(0)} ms`.padEnd(8),
      `${one.restartedIn.toFixed(1)} s`.padEnd(18),
      `${one.killedIn.toFixed(1)} s`,
    ].join("  "));
  }
  const last = curve.at(-1)!;
  return [
    {
      name: `Memory of the control plane for each of ${last.agents} agents`,
      ours: kilobytes(last.memory),
      peer: "—",
      ratio: `${(last.memory / 60_000).toFixed(2)} of the bar`,
      bar: "at most 60 KB",
      holds: last.memory <= 60_000 || SCALE < 1,
    },
    {
      name: "All of them connected again after a restart",
      ours: `${last.restartedIn.toFixed(1)} s, ${(last.busiest * 100).toFixed(0)} % in the busiest second`,
      peer: "—",
      ratio: `${(last.restartedIn / 60).toFixed(2)} of the bar`,
      bar: "within 60 s",
      holds: last.restartedIn <= 60,
    },
    {
      name: "… and after kill -9",
      ours: `${last.killedIn.toFixed(1)} s`,
      peer: "—",
      ratio: `${(last.killedIn / 60).toFixed(2)} of the bar`,
      bar: "within 60 s",
      holds: last.killedIn <= 60,
    },
  ];
}

async function measure(agents: number): Promise<Measurement> {
  await using stage = await ScaleStage.open();
  const { keys } = await stage.plantServers(agents);
  await systemClock.sleep(SCALE < 1 ? 2_000 : 10_000);
  const empty = await stage.memory();
  const start = performance.now();
  await stage.startAgents({ keys, linesPerSecond: 0, seconds: 0 });
  await stage.allConnected(agents);
  const connectedIn = (performance.now() - start) / 1000;
  await systemClock.sleep(SCALE < 1 ? 5_000 : SETTLE);
  const memory = (await stage.memory() - empty) / agents;
  const used = await stage.processorTime();
  const since = performance.now();
  await systemClock.sleep(SCALE < 1 ? 5_000 : WATCH);
  const processor = (await stage.processorTime() - used) / ((performance.now() - since) / 1000);
  const lag = await stage.metric("rearguard_event_loop_lag_seconds");
  const restarted = await reconnect(stage, agents, "SIGTERM");
  const killed = await reconnect(stage, agents, "SIGKILL");
  const measurement = {
    agents,
    connectedIn,
    memory,
    processor,
    lag,
    restartedIn: restarted.seconds,
    killedIn: killed.seconds,
    busiest: restarted.busiest,
  };
  print(JSON.stringify(measurement));
  return measurement;
}

/**
 * Measures how the agents reconnect. The time starts with the signal that ends the control plane, so it
 * includes the control plane's own start.
 */
async function reconnect(
  stage: ScaleStage,
  agents: number,
  signal: Deno.Signal,
): Promise<{ seconds: number; busiest: number }> {
  const start = systemClock.now().getTime();
  await stage.restart(signal);
  const ready = systemClock.now().getTime();
  await stage.allConnected(agents, new Date(start));
  const times = (await stage.connectedAt()).map((at) => (at - start) / 1000);
  const perSecond = Map.groupBy(times, (time) => Math.floor(time));
  const busiest = Math.max(...[...perSecond.values()].map(({ length }) => length)) / agents;
  const [half, most, last] = [50, 99, 100].map((p) => percentile(times, p).toFixed(1));
  print(
    `${signal}: ready after ${
      ((ready - start) / 1000).toFixed(1)
    } s; half are back after ${half} s, 99 % after ${most} s, all after ${last} s`,
  );
  return { seconds: Number(last), busiest };
}

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} KB`;
