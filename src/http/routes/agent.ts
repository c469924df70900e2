/** `/api/agent/connect`: where an agent's websocket begins. What is said on it is in `docs/protocol.md`. */
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
];
