/**
 * Sets how many cases the fuzz tests generate: few in the test suite, many with `deno task fuzz`. That
 * command sets the environment variables that are read here.
 */
/** Whether the tests were started by `deno task fuzz`. If so, the tests are exhaustive where possible. */
export const isWhole = Deno.env.get("FUZZ") === "whole";

const count = Number(Deno.env.get("FUZZ_COUNT") ?? NaN);

/**
 * Returns options for `fc.assert`: the number of cases and the seed. A failure prints the seed for `deno task
 * fuzz --seed`.
 */
export function runs(inSuite: number, byHand: number): { seed: number; numRuns: number } {
  const chosen = Number.isSafeInteger(count) ? count : isWhole ? byHand : inSuite;
  return { numRuns: chosen, seed };
}

/** The seed of all tests in this process, so that a failure can be repeated. */
const seed = Number(Deno.env.get("FUZZ_SEED") ?? crypto.getRandomValues(new Int32Array(1))[0]);

/**
 * Prints a line for the person who runs `deno task fuzz`. Prints nothing if the tests were started otherwise.
 */
export function report(line: string): void {
  if (isWhole) Deno.stdout.writeSync(new TextEncoder().encode(`\n${line} (seed ${seed})\n`));
}
