/**
 * The span that asked for each run that waits, so that its hand-over is in the same trace. Only heard of by
 * notification: after a restart of this process, the trace of a run that waited then begins with its
 * hand-over.
 */

/** The oldest beyond it are forgotten. */
const KEPT = 10_000;

export class RunTraces {
  readonly #parents = new Map<number, string>();

  note(runId: number, traceparent: string): void {
    this.#parents.set(runId, traceparent);
    if (this.#parents.size <= KEPT) return;
    for (const oldest of this.#parents.keys()) {
      this.#parents.delete(oldest);
      return;
    }
  }

  /** Stays, for a run that its agent does not take and that is offered again. */
  of(runId: number): string | undefined {
    return this.#parents.get(runId);
  }
}
