/**
 * Records the events that agents sent over the wire. The invariants compare these events with the control
 * plane's records.
 */
import { isDeepStrictEqual } from "node:util";
import type { Message } from "./frames.ts";

export interface SentEvent {
  readonly kind: string;
  /** The text of an output event; empty for any other event. */
  readonly text: string;
  readonly whole: Message["event"];
}

export class SentEvents {
  /** Descriptions of events that were sent again with the same number but with other contents. */
  readonly conflicts: string[] = [];
  readonly #events = new Map<string, Map<number, SentEvent>>();

  hear({ attempt, event, run_id, sequence, type }: Message): void {
    if (type !== "run.event") return;
    const key = `${run_id} ${attempt}`;
    const events = this.#events.get(key) ?? new Map<number, SentEvent>();
    this.#events.set(key, events);
    const before = events.get(sequence!);
    // An agent that reads its journal back sends the fields of an event in another order.
    if (before !== undefined && !isDeepStrictEqual(before.whole, event)) {
      const [was, is] = [before.whole, event].map((whole) => JSON.stringify(whole).slice(0, 200));
      this.conflicts.push(`event ${sequence} of run ${run_id} was ${was}, then ${is}`);
    }
    events.set(sequence!, { kind: event!.kind, text: event!.text ?? "", whole: event });
  }

  /** Returns the events of one attempt, in order of their numbers. */
  of(runId: number, attempt: number): [sequence: number, event: SentEvent][] {
    return [...this.#events.get(`${runId} ${attempt}`) ?? []].sort(([a], [b]) => a - b);
  }

  clear(): void {
    this.#events.clear();
    this.conflicts.splice(0);
  }
}
