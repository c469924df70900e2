/**
 * Sends requests about uploads and downloads over the websocket. After a reconnect, sends unanswered requests
 * again, because a request or its response might have been lost.
 */
import { randomUUID } from "node:crypto";
import type { AgentMessage, ServerMessage } from "../../src/protocol/wire_messages.ts";

type WithoutId<T> = T extends unknown ? Omit<T, "request_id"> : never;
type StorageMessageType = `upload.${string}` | `download.${string}`;
export type StorageRequest = WithoutId<Extract<AgentMessage, { type: StorageMessageType }>>;
export type StorageResponse = Extract<ServerMessage, { type: StorageMessageType }>;

interface PendingRequest {
  message: AgentMessage;
  resolve(response: StorageResponse): void;
}

export class StorageRequests {
  readonly #send: (message: AgentMessage) => boolean;
  readonly #pending = new Map<string, PendingRequest>();

  constructor(send: (message: AgentMessage) => boolean) {
    this.#send = send;
  }

  /**
   * Sends a request and resolves with its response. Rejects with the signal's reason if the signal aborts.
   */
  async request(request: StorageRequest, signal: AbortSignal): Promise<StorageResponse> {
    signal.throwIfAborted();
    const requestId = randomUUID();
    const message = { ...request, request_id: requestId } as AgentMessage;
    const response = Promise.withResolvers<StorageResponse>();
    const abort = () => response.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#pending.set(requestId, { message, resolve: response.resolve });
    try {
      this.#send(message);
      return await response.promise;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#pending.delete(requestId);
    }
  }

  /** Sends every unanswered request again. Called after each reconnect. */
  resend(): void {
    for (const { message } of this.#pending.values()) this.#send(message);
  }

  /** Resolves the request that a response belongs to. Ignores a response that no request waits for. */
  answer(message: ServerMessage): void {
    if ("request_id" in message && message.type !== "request") {
      this.#pending.get(message.request_id)?.resolve(message);
    }
  }
}
