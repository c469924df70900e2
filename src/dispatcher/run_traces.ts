/**
 * Remembers the span that queued each waiting run. The run's dispatch can then belong to the same trace.
 * Spans arrive as database notifications. A restart of this process loses the remembered spans. The trace of
 * a waiting run then begins with its dispatch.
 */

/** Maximum number of remembered runs; the oldest are forgotten first. */
const MAX_RUNS = 10_000;

export class RunTraces {
  readonly #parents = new Map<number, string>();

  remember(runId: number, traceparent: string): void {
    this.#parents.set(runId, traceparent);
    if (this.#parents.size <= MAX_RUNS) return;
    for (const oldest of this.#parents.keys()) {
      this.#parents.delete(oldest);
      return;
    }
  }

  /**
   * Returns the span that queued the run. Does not forget it: if the agent does not accept the run, the run
   * is dispatched again.
   */
  parentOf(runId: number): string | undefined {
    return this.#parents.get(runId);
  }
}
