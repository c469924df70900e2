/**
 * Endpoints for agents: the websocket, and the bytes that agents fetch and send. See
 * docs/develop/protocol.md.
 */
import { z } from "@hono/zod-openapi";
import { parseRange } from "../../../domain/byte_range.ts";
import { ConflictError, UnauthenticatedError } from "../../../domain/errors.ts";
import { STREAM_SIZE_HEADER } from "../../../protocol/browsing.ts";
import { authenticateAgent } from "../../../services/servers/enrolment.ts";
import { openExport } from "../../../services/transfers/exports.ts";
import { type NotRelayed, type Relayed, relayObject } from "../../../services/transfers/relays.ts";
import { bearerToken } from "../../auth.ts";
import { HttpError } from "../../errors.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { id, integer, text } from "../../../definitions/formats/text.ts";

export const agentEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/agent/connect",
    operationId: "connectAgent",
    group: "Agents",
    summary: "Open an agent's websocket",
    access: "agent",
    answer: { status: 101, description: "The websocket is open." },
    errors: { 426: "The request is not a websocket handshake." },
    handle: ({ connectAgent, request, origin }) => connectAgent(request, origin),
  }),
  endpoint({
    method: "get",
    path: "/api/agent/export",
    operationId: "exportControlPlane",
    group: "Agents",
    summary: "Fetch the control plane's state",
    description: "SQL text, for the agent of an active run that backs up the control plane. " +
      "Secrets in it are sealed.",
    access: "agent",
    audited: true,
    query: z.object({
      run_id: id().openapi({ example: 7 }),
      attempt: integer(1).openapi({ example: 1 }),
    }),
    answer: {
      status: 200,
      description: "SQL for `psql`. It is complete only if it ends with the line of the example.",
      content: { type: "application/sql", schema: z.string(), example: "-- Rearguard export complete\n" },
    },
    errors: {
      403: "The run backs up something else, or its owner is no administrator.",
      404: "The run is not this agent's.",
      409: "The run has ended, or was dispatched again.",
    },
    async handle({ services, request, query }) {
      const text = await openExport(services, bearerToken(request), query);
      // Wait for the first piece of text. If an error occurs before it, the response's status still reports
      // the error.
      return new Response(streamOf(await text.next(), text), {
        headers: { "Content-Type": "application/sql" },
      });
    },
  }),
  endpoint({
    method: "get",
    path: "/api/agent/objects",
    operationId: "relayObject",
    group: "Agents",
    summary: "Read an object on another server's disk",
    description:
      "The bytes of an object of the backup that an active run reads, for the agent of that run. They come from the agent of the " +
      "server that stores them, as fast as they are read. For one `Range`, the response is 206.",
    access: "agent",
    query: z.object({
      run_id: id().openapi({ example: 8 }),
      attempt: integer(1).openapi({ example: 1 }),
      name: text(1024).openapi({ example: "backup_2_20240807020000.tar.zst" }),
    }),
    answer: {
      status: 200,
      description: "The bytes. If reading them fails, the response ends too early.",
      content: {
        type: "application/octet-stream",
        schema: z.string().openapi({ format: "binary" }),
        example: "…",
      },
    },
    errors: {
      404: "The run is not this agent's, or its backup has no such object.",
      409: "The run has ended or was dispatched again, or the object can't be read at its location.",
      410: "The object is not there any more.",
      416: "The range is beyond the end.",
      503: "The agent of the server that holds it is not connected, or busy.",
    },
    async handle({ services, request, query }) {
      const range = parseRange(request.headers.get("range"));
      return relayAnswer(await relayObject(services, bearerToken(request), query, range), range !== null);
    },
  }),
  endpoint({
    method: "post",
    path: "/api/agent/streams/{stream}",
    operationId: "sendAgentStream",
    group: "Agents",
    summary: "Send the bytes of a download",
    description:
      "The response to `backup.send`. The body is the bytes themselves; `Content-Length` is their number.",
    access: "agent",
    takesStream: true,
    // The audit log records the download or the run that needs these bytes, so it does not record this
    // request.
    audited: false,
    answer: { status: 200, description: "All bytes were received." },
    errors: {
      409: "The download has ended.",
      411: "There is no `Content-Length`.",
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
      // Require a length: without it, the HTTP server would read bytes into memory before the download takes
      // them.
      if (request.headers.get("content-length") === null) {
        throw new HttpError(411, "The Content-Length header must be the number of bytes.");
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

function relayAnswer(relayed: Relayed | NotRelayed, isRange: boolean): Response {
  if (!("outcome" in relayed)) {
    const { body, from, to, size } = relayed;
    const headers = new Headers({
      "Content-Length": String(to - from),
      "Content-Type": "application/octet-stream",
      // Without this header, nginx would buffer the response on its disk.
      "X-Accel-Buffering": "no",
    });
    if (isRange) headers.set("Content-Range", `bytes ${from}-${to - 1}/${size}`);
    return new Response(body, { status: isRange ? 206 : 200, headers });
  }
  if (relayed.outcome === "missing") {
    throw new HttpError(410, "It does not exist. It was deleted or moved.");
  }
  throw new HttpError(416, `There are ${relayed.size} bytes; request a range within them.`, {
    "Content-Range": `bytes */${relayed.size}`,
  });
}

/**
 * Returns a stream of the text. Reads the text from the database only as fast as the client reads the stream.
 * Stops reading if the client cancels the stream.
 */
function streamOf(first: IteratorResult<string>, rest: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  let next: IteratorResult<string> | null = first;
  return new ReadableStream<string>({
    async pull(controller) {
      const piece: IteratorResult<string> = next ?? await rest.next();
      next = null;
      if (piece.done) controller.close();
      else controller.enqueue(piece.value);
    },
    async cancel() {
      await rest.return(undefined);
    },
  }).pipeThrough(new TextEncoderStream());
}
