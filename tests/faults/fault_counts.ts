/** Counts the faults that were really injected. */
export class FaultCounts {
  readonly #counts = new Map<string, number>();
  readonly #frames = new Map<string, Map<string, number>>();

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  frame(action: string, frame: string): void {
    const row = this.#frames.get(frame) ?? new Map<string, number>();
    this.#frames.set(frame, row);
    row.set(action, (row.get(action) ?? 0) + 1);
  }

  /** Returns two tables as lines of text: faults by action, and websocket faults by frame. */
  lines(): string[] {
    const actions = ["cut", "half-close", "duplicate", "delay"];
    const names = [...this.#frames.keys()].sort();
    const width = Math.max(...[...this.#counts.keys(), ...names].map((name) => name.length), 0) + 2;
    return [
      ...[...this.#counts].sort(([a], [b]) => a < b ? -1 : 1).map(([name, count]) =>
        `${name.padEnd(width)}${String(count).padStart(6)}`
      ),
      "",
      `${"at this frame".padEnd(width)}${actions.map((action) => action.padStart(12)).join("")}`,
      ...names.map((name) =>
        name.padEnd(width) +
        actions.map((action) => String(this.#frames.get(name)!.get(action) ?? 0).padStart(12)).join("")
      ),
    ];
  }
}
