/**
 * How much the fuzz tests make up: a little in the suite, far more by `deno task fuzz`, which says so in the
 * environment.
 */
/** `deno task fuzz` runs: everything that can be walked is walked. */
export const isWhole = Deno.env.get("FUZZ") === "whole";

const count = Number(Deno.env.get("FUZZ_COUNT") ?? NaN);

/** For `fc.assert`. A failure prints the seed; `deno task fuzz --seed` takes it. */
export function runs(inSuite: number, byHand: number): { seed: number; numRuns: number } {
  const chosen = Number.isSafeInteger(count) ? count : isWhole ? byHand : inSuite;
  return { numRuns: chosen, seed };
}

/** One for the whole process, so that every test of it can be told again. */
const seed = Number(Deno.env.get("FUZZ_SEED") ?? crypto.getRandomValues(new Int32Array(1))[0]);

/** What was seen, for whoever ran it by hand. */
export function report(line: string): void {
  if (isWhole) Deno.stdout.writeSync(new TextEncoder().encode(`\n${line} (seed ${seed})\n`));
}
