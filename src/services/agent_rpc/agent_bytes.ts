/**
 * Gets bytes of a backup from an agent. The request goes through the database; the agent sends the bytes over
 * HTTP.
 */
import { randomUUID } from "node:crypto";
import type { RequestedRange } from "../../domain/byte_range.ts";
import type { BackupSendResult } from "../../protocol/browsing.ts";
import type { RequestPayload } from "../../store/agents/agent_requests.ts";
import type { BackupLocation } from "../../store/backups/backups.ts";
import { logger } from "../../telemetry/logging.ts";
import { DamageFoundError, requestAgent } from "./agent_requests.ts";
import type { AgentStream } from "./agent_streams.ts";
import type { ServiceContext } from "../context.ts";

/** Timeout of the whole transfer, in milliseconds. */
const AGENT_TIMEOUT = 12 * 3_600_000;
/** How long to wait for the agent's response after the stream of bytes has failed, in milliseconds. */
const RESPONSE_TIMEOUT = 60_000;

const log = () => logger("services");

export type RequestedBytes = Extract<RequestPayload, { kind: "backup.send" }>["what"];
export type SentBytes = AgentStream;
/** Why the agent sent no bytes. */
export type BytesNotSent = Exclude<BackupSendResult, { outcome: "sent" }>;

/** The requested object or file of a backup, and the range of its bytes. */
export interface BytesRequest {
  readonly backup: Pick<BackupLocation, "id" | "user_id" | "backup_destination_id">;
  readonly what: RequestedBytes;
  /** The byte range; null requests all bytes. */
  readonly range: RequestedRange | null;
}

/**
 * Requests bytes of a backup from an agent. Normally returns their stream. If the agent responds that it
 * cannot send these bytes, returns the agent's response instead.
 *
 * Throws an `UnavailableError` if the agent is not connected or cannot send at the moment. Throws a {@link
 * DamageFoundError} if the agent finds damage before the first bytes. If the agent finds damage later, the
 * stream fails, and `damaged` is called.
 */
export async function requestBytes(
  services: ServiceContext,
  serverId: number,
  { backup, what, range }: BytesRequest,
  damaged: (error: DamageFoundError) => Promise<void> = async () => {},
): Promise<SentBytes | BytesNotSent> {
  const stream = randomUUID();
  const answered = new AbortController();
  const over = new AbortController();
  const begun = services.streams.awaitStream(stream, serverId, answered.signal);
  const payload = {
    kind: "backup.send",
    backup_destination_id: backup.backup_destination_id,
    user_id: backup.user_id,
    backup_id: backup.id,
    what,
    range,
    stream,
  } as const;
  const request = requestAgent(services, serverId, payload, AGENT_TIMEOUT, { signal: over.signal });
  // Don't report failures here. A failure before the first bytes is thrown below. After a later failure, the
  // stream fails.
  request.catch(() => {});
  begun.catch(() => {});
  const stop = () => over.abort(new Error("The bytes came to their end"));
  try {
    const first = await Promise.race([begun, request]);
    if (!("bytes" in first) && first.outcome !== "sent") return first;
    const { size, bytes } = "bytes" in first ? first : await begun;
    request.catch((error) => error instanceof DamageFoundError ? damaged(error) : undefined)
      .catch((error) =>
        log().error("Cannot mark backup {backup_id} as damaged: {error}", {
          backup_id: backup.id,
          error,
        })
      );
    // If the stream fails, wait for the agent's response, because the response contains the reason.
    const broken = () => void services.clock.sleep(RESPONSE_TIMEOUT, over.signal).then(stop, () => {});
    return { size, bytes: reportEnd(bytes, stop, broken) };
  } catch (error) {
    stop();
    throw error;
  } finally {
    answered.abort();
  }
}

/**
 * Passes the bytes on, and reports how the stream ended.
 *
 * @param ended Called when the stream is complete or cancelled.
 * @param broken Called when reading fails.
 */
function reportEnd(
  bytes: ReadableStream<Uint8Array>,
  ended: () => void,
  broken: () => void,
): ReadableStream<Uint8Array> {
  const reader = bytes.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        ended();
        controller.close();
      } catch (error) {
        broken();
        controller.error(error);
      }
    },
    async cancel(reason) {
      ended();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/**
 * Passes the bytes on, and fails if their number differs from `promised`. The failure closes the connection,
 * so the client notices that the download is incomplete.
 */
export function enforceSize(bytes: ReadableStream<Uint8Array>, promised: number): ReadableStream<Uint8Array> {
  let left = promised;
  return bytes.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>(
      {
        transform(chunk, controller) {
          left -= chunk.length;
          if (left < 0) {
            throw new Error(
              "Cannot continue a download: there are more bytes than announced",
            );
          }
          controller.enqueue(chunk);
        },
        flush() {
          if (left > 0) throw new Error(`Cannot end a download: ${left} bytes are missing`);
        },
      },
      { highWaterMark: 1 },
      { highWaterMark: 0 },
    ),
  );
}
