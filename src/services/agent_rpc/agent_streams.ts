/**
 * Connects a download with the agent that sends its bytes. The bytes pass through the memory of the replica
 * that serves the download, one chunk at a time. The agent sends no faster than the client reads. If either
 * side ends the connection, the other side's connection ends too.
 */
import type { Clock } from "../../domain/clock.ts";
import { UnavailableError } from "../../domain/errors.ts";

/**
 * Maximum wait for bytes from the agent, in milliseconds. Applies to the first bytes after the request, and
 * to each later chunk that the client waits for.
 */
const TIMEOUT = 60_000;

export interface AgentStream {
  /** Size of the complete object in bytes, even if only a range of it is sent. */
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
   * Waits for an agent to send a stream, and returns it. Rejects with an `UnavailableError` if no bytes
   * arrive in time. Rejects with the signal's reason if the signal aborts.
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
   * Passes an agent's bytes to the download that waits for them. Resolves to true when the download has read
   * all bytes. Resolves to false if the download or the agent stops before the last byte. If no download on
   * this replica waits for this stream from this server, reads nothing and resolves to null.
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
