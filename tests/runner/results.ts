/** Reads the output of `deno test --parallel`. */

export interface Result {
  readonly file: string;
  /**
   * The name of the test. For a step, it consists of the test's name, the names of the outer steps, and the
   * step's own name: `a test ... a step`.
   */
  readonly name: string;
  readonly outcome: "ok" | "FAILED" | "ignored";
  readonly milliseconds: number;
}

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

const RESULT = /^(\.\/\S+) => (.*) \.\.\. (ok|FAILED|ignored)\b.* \(((?:\d+(?:h|m|s|ms|µs))+)\)$/;
const SUMMARY =
  /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/;
const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, "µs": 0.001 };

/** Parses the line of a test or of a step. Returns null for any other line. */
export function parseResult(line: string): Result | null {
  const [, file, name, outcome, duration] = RESULT.exec(line) ?? [];
  if (file === undefined) return null;
  let milliseconds = 0;
  for (const [, count, unit] of duration!.matchAll(/(\d+)(h|ms|m|s|µs)/g)) {
    milliseconds += Number(count) * UNITS[unit!]!;
  }
  return { file: file.slice(2), name: name!, outcome: outcome as Result["outcome"], milliseconds };
}

/** Parses the last line, which has the counts. Returns null for any other line. */
export function parseSummary(line: string): Summary | null {
  const match = SUMMARY.exec(line);
  if (match === null) return null;
  return { passed: Number(match[1]), failed: Number(match[2]), ignored: Number(match[3] ?? 0) };
}
