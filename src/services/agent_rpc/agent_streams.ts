/**
 * Connects a download with the agent that sends its bytes. This happens in the memory of the replica that
 * serves the download, one chunk at a time. The agent sends no faster than the client reads. If either side
 * ends, so does the other.
 */
import type { Clock } from "../../domain/clock.ts";
import { UnavailableError } from "../../domain/errors.ts";

/**
 * Maximum time from the request to the first bytes, and between two chunks while the client waits.
 * Milliseconds.
 */
const TIMEOUT = 60_000;

export interface AgentStream {
  /** The size of the whole, even if only a part of it is sent. */
  readonly size: number;
  readonly bytes: ReadableStream<Uint8Array>;
}

interface Expected {
  readonly serverId: number;
  take(stream: AgentStream): void;
}

export class AgentStreams {
  readonly #expected = new Map<string, Expected>();

  constructor(private readonly clock: Clock) {}

  /**
   * Waits for the agent's bytes. Rejects with an `UnavailableError` if none arrive in time, and with the
   * signal's reason.
   */
  async awaitStream(id: string, serverId: number, signal: AbortSignal): Promise<AgentStream> {
    const over = new AbortController();
    try {
      const arrived = new Promise<AgentStream>((take) => this.#expected.set(id, { serverId, take }));
      const late = this.clock.sleep(TIMEOUT, AbortSignal.any([signal, over.signal])).then(() => {
        throw new UnavailableError(
          "The server's agent did not begin to send in time. Check that it can reach the control plane over HTTP, and try again.",
        );
      });
      late.catch(() => {});
      return await Promise.race([arrived, late]);
    } finally {
      over.abort();
      this.#expected.delete(id);
    }
  }

  /**
   * Passes an agent's bytes to the waiting download. Resolves to true when all were read, and to false when
   * the client left. Returns null, without reading, if no download of this replica waits for them from this
   * server.
   */
  async deliver(
    id: string,
    serverId: number,
    size: number,
    body: ReadableStream<Uint8Array>,
  ): Promise<boolean | null> {
    const expected = this.#expected.get(id);
    if (expected?.serverId !== serverId) return null;
    this.#expected.delete(id);
    return await new Promise<boolean>((resolve) => {
      expected.take({ size, bytes: this.#withTimeout(body, resolve) });
    });
  }

  #withTimeout(
    body: ReadableStream<Uint8Array>,
    ended: (whole: boolean) => void,
  ): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const over = new AbortController();
        const late = this.clock.sleep(TIMEOUT, over.signal).then(() => {
          throw new Error("Cannot continue a download: the agent has stopped sending");
        });
        late.catch(() => {});
        const next = reader.read().catch((cause) => {
          throw new Error("Cannot continue a download: the agent that sends it was cut off", { cause });
        });
        try {
          const { done, value } = await Promise.race([next, late]);
          if (!done) return controller.enqueue(value);
          controller.close();
          ended(true);
        } catch (error) {
          controller.error(error);
          await reader.cancel(error).catch(() => {});
          ended(false);
        } finally {
          over.abort();
        }
      },
      cancel: async (reason) => {
        await reader.cancel(reason).catch(() => {});
        ended(false);
      },
    }, { highWaterMark: 0 });
  }
}
