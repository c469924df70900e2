/**
 * Sends the journal's events over the websocket. Events are sent in order, each once per connection. For each
 * run, at most `WINDOW` sent events can be unacknowledged at a time.
 */
import type { AgentMessage, RunEvent } from "../src/protocol/wire_messages.ts";
import type { Journal, RunJournal } from "./journal.ts";

/** Maximum number of events of one run that are sent but not acknowledged. */
const WINDOW = 256;
/** Maximum number of bytes that wait in the websocket's buffer. */
const MAX_BUFFERED = 1024 * 1024;

function sizeOf({ text, warnings = [] }: Extract<RunEvent, { kind: "output" }>): number {
  return warnings.reduce((size, warning) => size + warning.length, text.length);
}

export class EventSender {
  readonly #journal: Journal;
  readonly #send: (message: AgentMessage) => boolean;
  /** For each run, the sequence number of the last event that was sent over this connection. */
  #sent = new WeakMap<RunJournal, number>();
  #waiters: (() => void)[] = [];

  constructor(journal: Journal, send: (message: AgentMessage) => boolean) {
    this.#journal = journal;
    this.#send = send;
  }

  /** Sends every unacknowledged event again. Called on each new connection. */
  restart(buffered: number): void {
    this.#sent = new WeakMap();
    this.pump(buffered);
    this.#wake();
  }

  acknowledged(buffered: number): void {
    this.pump(buffered);
    this.#wake();
  }

  /**
   * Sends as many events as the limits allow.
   *
   * @param buffered Number of bytes that wait in the websocket's buffer.
   */
  pump(buffered: number): void {
    let room = MAX_BUFFERED - buffered;
    for (const run of this.#journal.all()) {
      const sent = Math.max(this.#sent.get(run) ?? 0, run.acknowledged);
      const free = WINDOW - (sent - run.acknowledged);
      if (free <= 0) continue;
      for (const message of run.after(sent, free)) {
        if (room <= 0) return;
        if (!this.#send(message)) return;
        this.#sent.set(run, message.sequence);
        if (message.event.kind === "output") room -= sizeOf(message.event);
      }
    }
  }

  /** Resolves once every event is acknowledged, or when the signal aborts. */
  async drained(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#journal.all().some((run) => run.acknowledged < run.lastSequence)) {
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
