/**
 * Responds to an agent's requests about uploads and downloads. Each request gets one result or one refusal.
 */
import { logger } from "../telemetry/logging.ts";
import { failSpan, startSpan, withSpan } from "../telemetry/tracing.ts";
import type { AgentMessage, ServerMessage } from "../protocol/wire_messages.ts";
import type { ServiceContext } from "../services/context.ts";
import { signDownload } from "../services/transfers/downloads.ts";
import { abortUpload, completeUpload, openUpload, signParts } from "../services/transfers/uploads.ts";
import { toAgentError } from "../services/agent_rpc/agent_errors.ts";

export type StorageRequest = Extract<AgentMessage, { type: `upload.${string}` | `download.${string}` }>;

/** Handles a request. If its run is traced, the request gets a span in the run's trace. */
export async function handleStorageRequest(
  services: ServiceContext,
  serverId: number,
  message: StorageRequest,
): Promise<ServerMessage> {
  if (message.traceparent === undefined) return await respond(services, serverId, message);
  const attributes = { "rearguard.server.id": serverId };
  const span = startSpan(`answer ${message.type}`, attributes, message.traceparent);
  const response = await withSpan(span, () => respond(services, serverId, message));
  if (response.type.endsWith(".refused")) failSpan(span, "It is refused");
  span.end();
  return response;
}

async function respond(
  services: ServiceContext,
  serverId: number,
  message: StorageRequest,
): Promise<ServerMessage> {
  const { request_id } = message;
  try {
    switch (message.type) {
      case "upload.open":
        return { type: "upload.opened", request_id, ...await openUpload(services, serverId, message) };
      case "upload.parts":
        return { type: "upload.signed", request_id, ...await signParts(services, serverId, message) };
      case "upload.complete":
        return { type: "upload.completed", request_id, ...await completeUpload(services, serverId, message) };
      case "upload.abort":
        await abortUpload(services, serverId, message);
        return { type: "upload.aborted", request_id };
      case "download.sign":
        return { type: "download.signed", request_id, ...await signDownload(services, serverId, message) };
    }
  } catch (error) {
    const type = message.type === "download.sign" ? "download.refused" : "upload.refused";
    const refusal = toAgentError(error);
    if (refusal !== null) return { type, request_id, ...refusal };
    logger("agents").error("Cannot respond to {type}: {error}", {
      type: message.type,
      remote_server_id: serverId,
      ...("run_id" in message ? { run_id: message.run_id } : { upload_id: message.upload_id }),
      error,
    });
    const why = "The control plane is not able to do this now.";
    return { type, request_id, message: why, retryable: true };
  }
}
