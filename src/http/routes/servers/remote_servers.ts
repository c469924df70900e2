/** Defines the endpoints of `/api/remote-servers`. */
import { z } from "@hono/zod-openapi";
import {
  createRemoteServer,
  deleteRemoteServer,
  listRemoteServers,
  type RemoteServer as RemoteServerRow,
  showRemoteServer,
  updateRemoteServer,
} from "../../../services/servers/remote_servers.ts";
import { SERVER_CLASSES } from "../../../domain/protection.ts";
import { inputShape } from "../../../definitions/fields/input.ts";
import { REMOTE_SERVER_FIELDS } from "../../../definitions/remote_server_fields.ts";
import type { Endpoint } from "../../endpoint.ts";
import { searchParameter, timeParameters } from "../../input/list_filters.ts";
import {
  createEndpoint,
  deleteEndpoint,
  listEndpoint,
  type Resource,
  showEndpoint,
  updateEndpoint,
} from "../../resource.ts";
import { ForgetQuery } from "../destinations/forget_query.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";

const RemoteServer = z.object({
  id: z.int(),
  user_id: z.int(),
  label: z.string(),
  connection: z.object({
    ip_address: z.string(),
    username: z.string().nullable(),
    port: z.int(),
    is_database_password_set: z.boolean(),
  }),
  status: z.object({
    connectivity: z.enum(["unknown", "connected", "disconnected"]).openapi({
      description: "State of its agent; `unknown` before its first connection.",
    }),
    last_connected_at: Time.nullable(),
  }),
  agent: z.object({
    version: z.string(),
    hostname: z.string(),
    os: z.string(),
    arch: z.string(),
    protocol: z.int().nullable(),
    tools: z.record(z.string(), z.string()),
  }).nullable().openapi({
    description: "Last report of its agent about itself; null before one is enrolled.",
  }),
  duplicate_agent: z.object({
    hostname: z.string(),
    ip_address: z.string().nullable(),
    first_refused_at: Time,
    last_refused_at: Time,
    refused_count: z.int(),
  }).nullable().openapi({
    description:
      "Another agent with the same key, for example on a cloned machine, that was refused within the last 24 " +
      "hours because the server's own agent was connected.",
  }),
  runs_at_once: z.int(),
  class: z.enum(SERVER_CLASSES),
  offline_alert_after: z.int().nullable(),
  unprotected_count: z.int().nullable().openapi({
    description: "How much of it no task covers: see `GET …/unprotected`. Null before its first inventory.",
  }),
  created_at: Time,
  updated_at: Time,
}).openapi("RemoteServer");

const remoteServer: Resource<RemoteServerRow, z.output<typeof RemoteServer>> = {
  name: "Remote server",
  plural: "Remote servers",
  path: "/api/remote-servers",
  schema: RemoteServer,
  example: {
    id: 2,
    user_id: 1,
    label: "web-1",
    connection: { ip_address: "192.0.2.10", username: "root", port: 22, is_database_password_set: false },
    status: { connectivity: "connected", last_connected_at: "2024-08-07T00:00:00Z" },
    agent: {
      version: "0.1.0",
      hostname: "web-1",
      os: "linux",
      arch: "x86_64",
      protocol: 1,
      tools: { tar: "tar (GNU tar) 1.34", zstd: "1.5.4" },
    },
    duplicate_agent: null,
    runs_at_once: 1,
    class: "always_on",
    offline_alert_after: null,
    unprotected_count: 2,
    created_at: "2024-08-07T00:00:00Z",
    updated_at: "2024-08-07T00:00:00Z",
  },
  present: (row) => ({
    id: row.id,
    user_id: row.user_id,
    label: row.label,
    connection: {
      ip_address: row.ip_address,
      username: row.username,
      port: row.port,
      is_database_password_set: row.database_password_encrypted !== null,
    },
    status: {
      connectivity: row.connectivity,
      last_connected_at: isoTimeOrNull(row.last_connected_at),
    },
    agent: row.agent_description && {
      version: row.agent_description.version,
      hostname: row.agent_description.hostname,
      os: row.agent_description.os,
      arch: row.agent_description.arch,
      protocol: row.agent_protocol,
      tools: row.agent_description.tools,
    },
    duplicate_agent: row.duplicate_agent && {
      ...row.duplicate_agent,
      first_refused_at: isoTime(new Date(row.duplicate_agent.first_refused_at)),
      last_refused_at: isoTime(new Date(row.duplicate_agent.last_refused_at)),
    },
    runs_at_once: row.runs_at_once,
    class: row.class,
    offline_alert_after: row.offline_alert_after,
    unprotected_count: row.unprotected_count,
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }),
};

const fields = z.object(inputShape(REMOTE_SERVER_FIELDS));

export const remoteServerEndpoints: readonly Endpoint[] = [
  listEndpoint(remoteServer, {
    access: "view-remote-servers",
    filters: {
      status: z.enum(["unknown", "connected", "disconnected"]).optional().openapi({
        description: "Only with this `connectivity`.",
        example: "disconnected",
      }),
      ...timeParameters,
      search: searchParameter("the label or the address"),
    },
    sorts: ["label", "last_connected_at"],
    list: (services, caller, window, { status, ...choice }) =>
      listRemoteServers(services, caller, window, { ...choice, connectivity: status }),
  }),
  createEndpoint(remoteServer, {
    access: "create-remote-servers",
    body: fields.openapi("NewRemoteServer"),
    example: { label: "web-1", ip_address: "192.0.2.10", username: "root", port: 22 },
    create: createRemoteServer,
  }),
  showEndpoint(remoteServer, { access: "view-remote-servers", show: showRemoteServer }),
  updateEndpoint(remoteServer, {
    access: "update-remote-servers",
    body: fields.partial().openapi("RemoteServerChanges"),
    example: { label: "web-1.example.com" },
    update: updateRemoteServer,
  }),
  deleteEndpoint(remoteServer, {
    access: "delete-remote-servers",
    description: "The key of its agent is revoked.",
    errors: { 409: "Backup tasks use it, or its disk holds backups and `forget` is not true." },
    query: ForgetQuery,
    isTrashed: true,
    remove: (services, caller, serverId, query) => deleteRemoteServer(services, caller, serverId, query),
  }),
];
