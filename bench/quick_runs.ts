/**
 * Measures the memory of an agent and its control plane over many short runs: whatever a run leaks adds up.
 */
import { join } from "node:path";
import { startPlanned } from "./control_plane.ts";
import { print, type Result } from "./result.ts";

const RUNS = Number(Deno.env.get("BENCH_RUNS") ?? 500);
const FILES = 20;
/** Runs between two lines of output. */
const STEP = 50;
const MB = 1024 * 1024;

export async function benchQuickRuns(): Promise<Result[]> {
  const directory = await Deno.makeTempDir();
  try {
    const source = join(directory, "tree");
    await Deno.mkdir(source);
    for (let file = 0; file < FILES; file++) await Deno.writeTextFile(join(source, `${file}`), `${file}\n`);
    await using planned = await startPlanned({ source, backups: join(directory, "backups"), keep: 5 });
    const agent = new Peak(planned.plane.agentPid);
    const server = new Peak(Deno.pid);
    const timer = setInterval(() => [agent, server].forEach((peak) => peak.look()), 20);
    let early = 0;
    for (let run = 1; run <= RUNS; run++) {
      await planned.run();
      if (run === STEP) early = agent.most;
      if (run % STEP === 0 || run === 1) {
        print(
          `  after ${run} runs: agent ${agent.now} MB (at most ${agent.most}), control plane ${server.now} MB`,
        );
      }
    }
    clearInterval(timer);
    return [
      result(`Agent's RSS at its most, ${RUNS} quick runs`, agent.most, 120),
      result(`Growth of it since run ${STEP}`, agent.most - early, 20),
    ];
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Resident memory of a process, in MB. */
class Peak {
  now = 0;
  most = 0;

  constructor(private readonly pid: number) {}

  look(): void {
    const status = Deno.readTextFileSync(`/proc/${this.pid}/status`);
    this.now = Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024 / MB);
    this.most = Math.max(this.most, this.now);
  }
}

function result(name: string, megabytes: number, bar: number): Result {
  return {
    name,
    ours: `${megabytes} MB`,
    peer: "—",
    ratio: `${(megabytes / bar).toFixed(2)} of the bar`,
    bar: `at most ${bar} MB`,
    holds: megabytes <= bar,
  };
}
