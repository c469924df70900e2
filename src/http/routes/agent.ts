/** What agents call: where their websocket begins, and where the bytes of downloads go. What is said is in `docs/protocol.md`. */
import { ConflictError, UnauthenticatedError } from "../../domain/errors.ts";
import { STREAM_SIZE_HEADER } from "../../protocol/browsing.ts";
import { authenticateAgent } from "../../services/enrolment.ts";
import { HttpError } from "../errors.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

export const agentEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/agent/connect",
    operationId: "connectAgent",
    group: "Agents",
    summary: "Open an agent's websocket",
    access: "agent",
    answer: { status: 101, description: "The socket is open." },
    errors: { 426: "The request is no websocket handshake." },
    handle: ({ connectAgent, request }) => connectAgent(request),
  }),
  endpoint({
    method: "post",
    path: "/api/agent/streams/{stream}",
    operationId: "sendAgentStream",
    group: "Agents",
    summary: "Send the bytes of a download",
    description: "Answers `backup.send`. The body is the bytes, as they come.",
    access: "agent",
    takesStream: true,
    answer: { status: 200, description: "The last byte was taken." },
    errors: {
      409: "The download is over.",
      421: "No download waits for it here: it may be at another control plane.",
    },
    async handle({ services, request }) {
      const key = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
      const server = key === undefined ? null : await authenticateAgent(services, key);
      if (server === null) throw new UnauthenticatedError();
      const size = Number(request.headers.get(STREAM_SIZE_HEADER) ?? NaN);
      if (!Number.isSafeInteger(size) || size < 0) {
        throw new HttpError(400, `The ${STREAM_SIZE_HEADER} header must be a number of bytes.`);
      }
      const id = new URL(request.url).pathname.split("/").at(-1)!;
      const body = request.body ?? new Blob([]).stream();
      const taken = await services.streams.deliver(id, server.id, size, body);
      if (taken === null) throw new HttpError(421, "No download waits for this stream here.");
      if (!taken) throw new ConflictError("The download was left before its end.");
      return new Response(null, { status: 200 });
    },
  }),
];
