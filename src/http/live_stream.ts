/** The stream of a page in a browser: says what has changed, and sends the lines of one run's log. */
import type { LogLines } from "../services/runs/log_stream.ts";
import {
  ANY_KIND,
  type Follower,
  type KindSet,
  kindsIn,
  type LiveChanges,
} from "../services/live/live_changes.ts";
import type { Owner } from "../domain/access/owner.ts";
import { logger } from "../telemetry/logging.ts";
import { eventStreamResponse, frame, HEARTBEAT, RETRY, STILL_HERE } from "./sse.ts";

/** Seconds without an event after which a stream sends a heartbeat. */
const QUIET_SECONDS = HEARTBEAT / 1000;
/**
 * A stream is aborted if data has waited for its client this many seconds, and the client has read nothing.
 */
const UNREAD_SECONDS = 90;

export interface LiveStreamOptions {
  readonly live: LiveChanges;
  readonly caller: Owner;
  /** The lines of the run to follow; null if the page follows none. */
  readonly lines: AsyncIterable<LogLines> | null;
  /** Called once, when the stream has ended for any reason. */
  readonly ended: () => void;
}

/**
 * Returns a response that sends two things: an event for each kind of record that has changed, and the lines
 * of the followed run in batches.
 *
 * A client that reads slowly misses nothing. Changes of the same kind become one event. The next lines are
 * read only when the client has taken the last ones.
 */
export function liveStream(options: LiveStreamOptions): Response {
  const stream = new LiveStream(options);
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => stream.start(controller),
    pull: () => stream.pull(),
    cancel: () => stream.end(),
  });
  return eventStreamResponse(body);
}

class LiveStream implements Follower {
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #unfollow = () => {};
  #isOver = false;
  /** Changes to send as soon as the client reads. */
  #waiting: KindSet = 0;
  /** Wakes `#sendLines`, which waits until the client reads or the stream ends. */
  #read = () => {};
  /** Seconds since the stream last sent something. */
  #quiet = 0;
  /** Seconds for which data has waited for the client. */
  #unread = 0;

  constructor(private readonly options: LiveStreamOptions) {}

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    // Follow changes before `refresh` is sent. The client reads the pages again when it gets `refresh`, and
    // must not miss a later change.
    this.#unfollow = this.options.live.follow(this.options.caller, this);
    this.#enqueue(encoder.encode(RETRY + frame({ event: "refresh", data: {} })));
    if (this.options.lines !== null) void this.#sendLines(this.options.lines);
  }

  pull(): void {
    this.#unread = 0;
    if (this.#waiting !== 0) this.#sendChanges(0);
    else this.#read();
  }

  changed(kinds: KindSet): void {
    this.#sendChanges(kinds);
  }

  tick(): void {
    if (this.#hasRoom()) {
      if (++this.#quiet >= QUIET_SECONDS) this.#enqueue(encoder.encode(STILL_HERE));
    } else if (++this.#unread >= UNREAD_SECONDS) {
      this.end();
      this.#controller.error(new Error("Cannot continue the stream: its client reads nothing"));
    }
  }

  stop(): void {
    if (this.#isOver) return;
    this.end();
    this.#controller.close();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unfollow();
    this.#read();
    this.options.ended();
  }

  #hasRoom(): boolean {
    return (this.#controller.desiredSize ?? 0) > 0;
  }

  #enqueue(bytes: Uint8Array): void {
    this.#quiet = 0;
    this.#controller.enqueue(bytes);
  }

  #sendChanges(kinds: KindSet): void {
    this.#waiting |= kinds;
    if (this.#isOver || !this.#hasRoom()) return;
    // Forget them first, because the controller can call `pull` while it enqueues.
    const due = this.#waiting;
    this.#waiting = 0;
    this.#enqueue(changeFrame(due));
  }

  async #sendLines(batches: AsyncIterable<LogLines>): Promise<void> {
    try {
      for await (const { lines, sequence, isFinished } of batches) {
        while (!this.#isOver && (this.#waiting !== 0 || !this.#hasRoom())) {
          await new Promise<void>((resolve) => this.#read = resolve);
        }
        if (this.#isOver) return;
        const data = { lines, finished: isFinished };
        this.#enqueue(encoder.encode(frame({ id: `${sequence}`, event: "lines", data })));
      }
    } catch (error) {
      logger("http").warn("Cannot continue the log of a page: {error}", { error });
      // The page connects again, and continues after the last lines.
      this.stop();
    }
  }
}

const encoder = new TextEncoder();

/**
 * Cache of the bytes that report a set of changed kinds. Contains each set that was sent, at most 256 sets.
 */
const frames = new Map<KindSet, Uint8Array>();

function changeFrame(kinds: KindSet): Uint8Array {
  let bytes = frames.get(kinds);
  if (bytes === undefined) {
    const names = [...(kinds & ANY_KIND) === 0 ? [] : ["refresh"], ...kindsIn(kinds)];
    bytes = encoder.encode(names.map((event) => frame({ event, data: {} })).join(""));
    frames.set(kinds, bytes);
  }
  return bytes;
}
