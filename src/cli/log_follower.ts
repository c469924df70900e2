/** Follows a run's log through the API's event stream until the run is over. */
import { setTimeout as pause } from "node:timers/promises";
import { type EventSourceMessage, EventSourceParserStream } from "eventsource-parser/stream";
import { CommandError, EXIT } from "./command_error.ts";

export interface RunProgress {
  readonly bytes_read: number;
  readonly bytes_written: number;
  readonly files_count: number | null;
  readonly bytes_per_second: number | null;
  readonly eta_seconds: number | null;
}

export interface RunState {
  readonly status: "queued" | "running" | "successful" | "failed" | "cancelled";
  readonly reason: string | null;
  readonly progress: RunProgress;
}

export interface LogWatcher {
  /** Receives whole lines of output, each once, even after a lost connection. */
  output(text: string): void;
  state(state: RunState): void;
  /** Called when the connection is lost, before the next attempt to connect. */
  lost(error: Error): void;
}

/**
 * Opens the stream of a run's events after the event `lastEventId`. If that is null, starts at the first
 * event.
 */
export type OpenStream = (lastEventId: string | null, signal: AbortSignal) => Promise<Response>;

export interface Patience {
  /**
   * Milliseconds after which a silent connection counts as lost. The server sends something every 15 seconds.
   */
  readonly silence: number;
  /** How long attempts to reconnect go on, in milliseconds. */
  readonly outage: number;
  /**
   * The pause between two attempts to reconnect, in milliseconds. The server can replace this value. In a
   * long outage, the pause grows to up to 16 times the value.
   */
  readonly retry: number;
}

const PATIENCE: Patience = { silence: 60_000, outage: 10 * 60_000, retry: 2000 };

/**
 * Follows a run until it ends, and returns its final state. Returns null if the stream has no more events of
 * this run: the caller then finds the state in the run's record. Rejects if the control plane refuses the
 * request. If the control plane stays unreachable, rejects with the last attempt's error.
 */
export async function followLog(
  runId: number,
  open: OpenStream,
  watcher: LogWatcher,
  patience: Patience = PATIENCE,
): Promise<RunState | null> {
  let lastEventId: string | null = null;
  let { retry } = patience;
  let lostSince: number | null = null;
  let tries = 0;
  const signs = {
    onRetry: (ms: number) => void (retry = ms),
    onComment: () => void ([lostSince, tries] = [null, 0]),
  };
  for (;; tries++) {
    let failure: Error;
    try {
      for await (const event of eventsOf(open, lastEventId, patience.silence, signs)) {
        [lostSince, tries] = [null, 0];
        // The stream follows the task's latest log, so it might show a later run by now.
        if (event === "nothing left" || !event.id?.startsWith(`${runId}-`)) return null;
        if (event.event === "finished") return JSON.parse(event.data);
        if (event.event === "output") watcher.output(JSON.parse(event.data).text);
        if (event.event === "state") watcher.state(JSON.parse(event.data));
        lastEventId = event.id;
      }
      failure = new CommandError(EXIT.unreachable, "Cannot follow the run: its event stream ended too early");
    } catch (error) {
      if (!(error instanceof CommandError) || error.code !== EXIT.unreachable) throw error;
      failure = error;
    }
    lostSince ??= performance.now();
    if (performance.now() - lostSince > patience.outage) throw failure;
    watcher.lost(failure);
    await pause(retry * 2 ** Math.min(tries, 4) * (0.5 + Math.random() / 2));
  }
}

/**
 * Yields the events of a stream, and ends when the server closes the stream. Throws if the connection is lost
 * before that. If the server responds that it has no more events, yields only `nothing left`.
 */
async function* eventsOf(
  open: OpenStream,
  lastEventId: string | null,
  silence: number,
  /** `onComment` gets each comment. While there are no events, the server sends comments regularly. */
  signs: { onRetry(ms: number): void; onComment(): void },
): AsyncGenerator<EventSourceMessage | "nothing left"> {
  const over = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => over.abort(new DOMException("it fell silent", "TimeoutError")), silence);
  };
  try {
    const response = await open(lastEventId, over.signal);
    if (response.status === 204) return yield "nothing left";
    heard();
    const watch = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        heard();
        controller.enqueue(chunk);
      },
    });
    yield* response.body!.pipeThrough(watch)
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream(signs));
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(
      EXIT.unreachable,
      `Cannot follow the run: the connection is lost (${(cause as Error).message})`,
      { cause },
    );
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}
