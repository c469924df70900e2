/**
 * Questions about uploads and downloads, and their answers: asked again after each reconnect, since either
 * may have been lost.
 */
import { randomUUID } from "node:crypto";
import type { AgentMessage, ServerMessage } from "../../src/protocol/wire_messages.ts";

type WithoutId<T> = T extends unknown ? Omit<T, "request_id"> : never;
type About = `upload.${string}` | `download.${string}`;
export type StorageRequest = WithoutId<Extract<AgentMessage, { type: About }>>;
export type StorageResponse = Extract<ServerMessage, { type: About }>;

interface Waiting {
  message: AgentMessage;
  resolve(answer: StorageResponse): void;
}

export class StorageRequests {
  readonly #send: (message: AgentMessage) => boolean;
  readonly #waiting = new Map<string, Waiting>();

  constructor(send: (message: AgentMessage) => boolean) {
    this.#send = send;
  }

  async call(call: StorageRequest, signal: AbortSignal): Promise<StorageResponse> {
    signal.throwIfAborted();
    const requestId = randomUUID();
    const message = { ...call, request_id: requestId } as AgentMessage;
    const answer = Promise.withResolvers<StorageResponse>();
    const abort = () => answer.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#waiting.set(requestId, { message, resolve: answer.resolve });
    try {
      this.#send(message);
      return await answer.promise;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#waiting.delete(requestId);
    }
  }

  resend(): void {
    for (const { message } of this.#waiting.values()) this.#send(message);
  }

  /** An answer that nobody waits for any more is dropped. */
  answer(message: ServerMessage): void {
    if ("request_id" in message && message.type !== "request") {
      this.#waiting.get(message.request_id)?.resolve(message);
    }
  }
}
