/**
 * Remembers the span that queued each waiting run, so that its dispatch is in the same trace. Spans arrive as
 * notifications: after a restart of this process, the trace of a run that was waiting begins with its
 * dispatch.
 */

/** Maximum number of runs; the oldest are forgotten. */
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

  /** Keeps the span: the agent may not accept the run, which is then offered again. */
  parentOf(runId: number): string | undefined {
    return this.#parents.get(runId);
  }
}
