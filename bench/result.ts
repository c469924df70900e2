/**
 * The result of a benchmark: Rearguard's value, the other program's value from the same run, and the
 * threshold that Rearguard's value has to meet.
 */
export interface Result {
  name: string;
  ours: string;
  peer: string;
  /**
   * Rearguard's value divided by the other program's; Rearguard's value alone if there is no other program.
   */
  ratio: string;
  bar: string;
  holds: boolean;
}

export function printTable(results: readonly Result[]): void {
  const rows = [
    ["", "Rearguard", "peer", "ratio", "bar", ""],
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

/**
 * Returns the value below which `p` percent of the values are.
 *
 * @param p A number from 0 to 100.
 */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))] ?? NaN;
}
