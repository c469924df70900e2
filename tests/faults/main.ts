/**
 * `deno task faults [--seed N] [--count N] [--second S]`: carries out the plans of `count` consecutive seeds
 * from `seed` on, and reports violations. Needs root, and the programs that `deno task test` installs.
 *
 * To repeat a single plan, give its seed and `--count 1`. If due times matter, add `--second S`. The plan
 * then begins at second S of a minute. Use the second at which the plan began the first time.
 */
import { parseArgs } from "node:util";
import { setUp } from "../setup.ts";
import { INVARIANTS } from "./invariants.ts";
import { carryOutPlans, type Outcome } from "./carry_out_plans.ts";

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function wholeNumber(text: string, name: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`Cannot read --${name}: it must be a whole number`);
  return Number(text);
}

/**
 * Returns a signal that aborts at the first SIGINT or SIGTERM. The harness then completes the current plan
 * and cleans up. A second SIGINT or SIGTERM ends the process at once.
 */
function untilInterrupted(): AbortSignal {
  const stopped = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    const stop = () => {
      say("Ending after this plan …");
      Deno.removeSignalListener(name, stop);
      stopped.abort();
    };
    Deno.addSignalListener(name, stop);
  }
  return stopped.signal;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      seed: { type: "string" },
      count: { type: "string", default: "20" },
      second: { type: "string" },
    },
  });
  const seed = values.seed === undefined
    ? Math.floor(Math.random() * 1_000_000)
    : wholeNumber(values.seed, "seed");
  const count = wholeNumber(values.count, "count");
  const second = values.second === undefined ? null : wholeNumber(values.second, "second") % 60;
  await setUp();
  const seeds = Array.from({ length: count }, (_, index) => seed + index);
  const tell = (event: { plan: readonly string[] } | Outcome) => {
    if ("seconds" in event) {
      say(`  ${event.broken.length === 0 ? "holds" : "BROKEN"} after ${event.seconds.toFixed(1)} s`);
      for (const line of event.broken) say(`  ${line}`);
    } else event.plan.forEach(say);
  };
  const { left, outcomes, tally } = await carryOutPlans(seeds, tell, { signal: untilInterrupted(), second });
  say("\nAfter every plan these must hold:");
  for (const { words } of INVARIANTS) say(`- ${words}`);
  say("\nWhat was done, and what became of the runs:");
  tally.lines().forEach(say);
  const broken = outcomes.filter((outcome) => outcome.broken.length > 0);
  const seconds = outcomes.reduce((sum, outcome) => sum + outcome.seconds, 0);
  say(
    `\n${outcomes.length} plans from seed ${seed} in ${
      Math.round(seconds)
    } s: ${broken.length} broke something`,
  );
  for (const line of left) say(`left at the end: ${line}`);
  for (const { second, seed } of broken) {
    say(`again: deno task faults --seed ${seed} --count 1 --second ${second}`);
  }
  return broken.length + left.length === 0 ? 0 : 1;
}

Deno.exit(await main());
