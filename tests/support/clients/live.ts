/** Follows `/api/live` or `/live`, as an open page does. */
import { createParser } from "eventsource-parser";
import type { LogLine } from "../../../src/services/runs/log_lines.ts";
import type { TestApi } from "./api.ts";
import { until } from "../assertions/until.ts";

interface LiveEvent {
  readonly event: string;
  readonly id: string | undefined;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

export class LiveStream implements AsyncDisposable {
  readonly events: LiveEvent[] = [];
  readonly comments: string[] = [];
  /** Why the stream has ended: normally, or with an error; null while it is open. */
  ended: "closed" | "aborted" | null = null;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  private constructor(readonly response: Response) {
    this.#reader = response.body!.getReader();
  }

  /** Opens the stream, and waits for its first event. */
  static async open(
    app: TestApi["app"],
    headers: Record<string, string>,
    path = "/api/live",
  ): Promise<LiveStream> {
    const response = await app.request(path, { headers });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    const stream = new LiveStream(response);
    void stream.#read();
    await until(() => stream.events.length > 0);
    return stream;
  }

  async #read(): Promise<void> {
    const parser = createParser({
      onEvent: ({ event, id, data }) => void this.events.push({ event: event!, id, data: JSON.parse(data) }),
      onComment: (comment) => void this.comments.push(comment),
    });
    const decoder = new TextDecoder();
    try {
      for (let next = await this.#reader.read(); !next.done; next = await this.#reader.read()) {
        parser.feed(decoder.decode(next.value, { stream: true }));
      }
      this.ended = "closed";
    } catch {
      this.ended = "aborted";
    }
  }

  /** The names of all events so far. */
  get names(): string[] {
    return this.events.map(({ event }) => event);
  }

  count(name: string): number {
    return this.names.filter((each) => each === name).length;
  }

  /** All lines of the log so far. */
  get lines(): (LogLine & { stream: string })[] {
    return this.events.filter(({ event }) => event === "lines").flatMap(({ data }) => data.lines);
  }

  /** Waits until an event of this name has come `times` times. */
  async has(name: string, times = 1): Promise<void> {
    await until(() => this.count(name) >= times);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}
