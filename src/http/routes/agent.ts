/** `/api/agent/connect`: where an agent's websocket begins. What is said on it is in `docs/protocol.md`. */
import { z } from "@hono/zod-openapi";
import { openExport } from "../../services/exports.ts";
import { bearerToken } from "../auth.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { id, integer } from "../input.ts";

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
    method: "get",
    path: "/api/agent/export",
    operationId: "exportControlPlane",
    group: "Agents",
    summary: "Fetch the control plane's state",
    description:
      "SQL text, for the agent of a run that backs up the control plane, while that run is at work. " +
      "Secrets in it are sealed.",
    access: "agent",
    query: z.object({
      run_id: id().openapi({ example: 7 }),
      attempt: integer(1).openapi({ example: 1 }),
    }),
    answer: {
      status: 200,
      description: "SQL for `psql`. It is whole where it ends with the line of the example.",
      content: { type: "application/sql", schema: z.string(), example: "-- Rearguard export complete\n" },
    },
    errors: {
      403: "The run backs up something else, or its owner is no administrator.",
      404: "The run is not this agent's.",
      409: "The run is over, or was handed out again.",
    },
    async handle({ services, request, query }) {
      const text = await openExport(services, bearerToken(request), query);
      // Whatever keeps it from beginning is still told by the status.
      return new Response(streamOf(await text.next(), text), {
        headers: { "Content-Type": "application/sql" },
      });
    },
  }),
];

/** The reader's pace is the database's; one that goes away ends the reading. */
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
