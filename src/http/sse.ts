/** Formats Server-Sent Events, as section 9.2 of the HTML standard specifies. */
import type { Clock } from "../domain/clock.ts";

export interface ServerSentEvent {
  /**
   * The event's id, without line breaks. A client that connects again sends the last id that it received as
   * `Last-Event-ID`.
   */
  readonly id?: string;
  readonly event: string;
  /** The event's data, sent as JSON on one line. */
  readonly data: unknown;
}

/** Interval between heartbeats, in milliseconds: shorter than the idle timeouts of common proxies. */
export const HEARTBEAT = 15_000;
/** The first line of a stream: how long a client waits before it connects again, in milliseconds. */
export const RETRY = "retry: 2000\n\n";
/** A comment, which clients ignore. It keeps proxies from ending a stream without events. */
export const STILL_HERE = ": still here\n\n";

/**
 * Returns a response that sends the events as they arrive, and closes after the last event. Sends comments as
 * heartbeats while there are no events. Takes events no faster than the client reads. If the client
 * disconnects, calls `abandon`, which should make `events` end. Calls `ended` when the response has ended for
 * any reason.
 */
export function eventStream(
  clock: Clock,
  events: AsyncIterable<ServerSentEvent>,
  abandon: () => void,
  ended: () => void = () => {},
): Response {
  const iterator = events[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let pending: Promise<IteratorResult<ServerSentEvent>> | null = null;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(RETRY));
    },
    async pull(controller) {
      pending ??= iterator.next();
      pending.catch(ended);
      const result = await within(clock, HEARTBEAT, pending);
      if (result === null) return controller.enqueue(encoder.encode(STILL_HERE));
      pending = null;
      if (result.done) {
        ended();
        return controller.close();
      }
      controller.enqueue(encoder.encode(frame(result.value)));
    },
    async cancel() {
      abandon();
      ended();
      await iterator.return?.();
    },
  });
  return eventStreamResponse(body);
}

/** Returns a response with this body, which consists of Server-Sent Events. */
export function eventStreamResponse(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, {
    headers: {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      // Without this header, nginx would buffer the events.
      "X-Accel-Buffering": "no",
    },
  });
}

export function frame({ id, event, data }: ServerSentEvent): string {
  const line = id === undefined ? "" : `id: ${id}\n`;
  return `${line}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Returns the value of `promise`, or null if `ms` milliseconds pass first. */
async function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | null> {
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then(() => null, () => null);
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}
