/** Endpoints that enrol and revoke agents. */
import { z } from "@hono/zod-openapi";
import { AgentDescription } from "../../../protocol/wire_messages.ts";
import { createEnrolmentToken, enrolAgent, revokeAgent } from "../../../services/servers/enrolment.ts";
import { bearerToken } from "../../auth.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { integer } from "../../../definitions/formats/text.ts";
import { messageContent } from "../../resource.ts";
import { isoTime, Time } from "../../input/time.ts";
import { NamedRecord } from "../named_record.ts";

const GROUP = "Remote servers";
const ids = { id: "Remote server" };
const REVOKED = "Agent successfully revoked";
const EXAMPLE_TOKEN = "rge_Jm0hF1ZkQ2bq3uYv8s5nT7xWc9aRd4eG6iLoPpKjXyU";

const Enrolment = z.object({
  token: z.string().openapi({ description: "Enrols one agent, once. It is not shown again." }),
  expires_at: Time,
  install_command: z.string().openapi({
    description: "Command for the server, which installs the agent and enrols it.",
  }),
}).openapi("EnrolmentToken");

const Enrolled = z.object({
  agent_key: z.string().openapi({ description: "The agent's own key. It is not shown again." }),
  remote_server: NamedRecord,
}).openapi("EnrolledAgent");

export const enrolmentEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "post",
    path: "/api/remote-servers/{id}/enrolment-tokens",
    needsFreshLogin: true,
    operationId: "createEnrolmentToken",
    group: GROUP,
    summary: "Create an enrolment token",
    description:
      "For one agent on this server. Enrolling it revokes the key of an agent that was enrolled before.",
    access: "update-remote-servers",
    ids,
    showsSecretOnce: true,
    body: {
      schema: z.object({
        expires_in: integer(60, 30 * 86_400).default(3600).openapi({ description: "Seconds." }),
      }).openapi("NewEnrolmentToken"),
      example: { expires_in: 3600 },
    },
    answer: {
      status: 201,
      description: "The token, which is not shown again.",
      content: {
        type: "application/json",
        schema: z.object({ data: Enrolment }),
        example: {
          data: {
            token: EXAMPLE_TOKEN,
            expires_at: "2024-08-07T01:00:00Z",
            install_command: installCommand("https://backups.example.com", EXAMPLE_TOKEN),
          },
        },
      },
    },
    async handle({ services, caller, params, body, baseUrl }) {
      const { token, expiresAt } = await createEnrolmentToken(services, caller, params.id, body.expires_in);
      const data = { token, expires_at: isoTime(expiresAt), install_command: installCommand(baseUrl, token) };
      return { status: 201, body: { data } };
    },
  }),
  endpoint({
    method: "delete",
    path: "/api/remote-servers/{id}/agent",
    operationId: "revokeAgent",
    group: GROUP,
    summary: "Revoke the agent's key",
    description: "Closes its websocket too, and revokes unused enrolment tokens.",
    access: "update-remote-servers",
    ids,
    answer: { status: 200, description: "The key is revoked.", content: messageContent(REVOKED) },
    async handle({ services, caller, params }) {
      await revokeAgent(services, caller, params.id);
      return { status: 200, body: { message: REVOKED } };
    },
  }),
  endpoint({
    method: "post",
    path: "/api/agent/enrol",
    operationId: "enrolAgent",
    group: "Agents",
    summary: "Exchange an enrolment token for an agent's key",
    description: "The bearer token is the enrolment token. 401 if it is unknown, expired or used.",
    access: "agent",
    body: {
      schema: z.object({ agent: AgentDescription }).openapi("NewAgent"),
      example: {
        agent: {
          version: "0.1.0",
          hostname: "web-1",
          os: "linux",
          arch: "x86_64",
          tools: { tar: "tar (GNU tar) 1.34" },
        },
      },
    },
    answer: {
      status: 201,
      description: "The agent's key, which is not shown again.",
      content: {
        type: "application/json",
        schema: z.object({ data: Enrolled }),
        example: {
          data: {
            agent_key: "rga_b5XcQmZt0yVn2LwE7uKr9sHd3gPfAoJi8TxUvNqC1kM",
            remote_server: { id: 2, label: "web-1" },
          },
        },
      },
    },
    async handle({ services, request, body }) {
      const { agentKey, remoteServer } = await enrolAgent(services, bearerToken(request), body.agent);
      const { id, label } = remoteServer;
      return { status: 201, body: { data: { agent_key: agentKey, remote_server: { id, label } } } };
    },
  }),
];

/**
 * Builds the shell command that installs an agent. The command passes the token to the install script as an
 * environment variable. Only root and the script's own user can read the script's environment. An argument
 * would be readable for every user of the server.
 */
function installCommand(baseUrl: string, token: string): string {
  const url = `'${`${baseUrl}/install.sh`.replaceAll("'", "'\\''")}'`;
  return `curl -fsSL ${url} | REARGUARD_TOKEN='${token}' sudo --preserve-env=REARGUARD_TOKEN sh`;
}
