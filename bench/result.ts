/** What a benchmark found: our figure beside the peer's of the same run, and the bar it is held to. */
export interface Result {
  name: string;
  ours: string;
  peer: string;
  /** Ours over the peer's, or the bare figure where there is no peer. */
  ratio: string;
  bar: string;
  holds: boolean;
}

export function printTable(results: readonly Result[]): void {
  const rows = [
    ["", "Rearguard", "beside it", "ratio", "bar", ""],
    ...results.map((r) => [r.name, r.ours, r.peer, r.ratio, r.bar, r.holds ? "holds" : "DOES NOT HOLD"]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) print(row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd());
}

export function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** @param p 0 to 100. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))] ?? NaN;
}
