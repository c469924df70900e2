/** Endpoints that list the databases of a server. */
import { z } from "@hono/zod-openapi";
import { databaseUser, systemUser } from "../../../definitions/formats/databases.ts";
import { hostOrSocketDirectory } from "../../../definitions/formats/paths.ts";
import { id, integer, secret } from "../../../definitions/formats/text.ts";
import { DATABASE_TYPES } from "../../../definitions/sources/registry.ts";
import { listServerDatabases } from "../../../services/servers/server_databases.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";

const DATABASE_TYPE = DATABASE_TYPES[0]!;

const Found = z.object({
  database_type: z.enum(DATABASE_TYPES).openapi({ description: "The type of server that answered." }),
  server: z.string().openapi({ description: "The server and the login, for people." }),
  databases: z.array(z.object({
    name: z.string(),
    size: z.int().nullable().openapi({ description: "Bytes; null if it is not known." }),
    problem: z.string().nullable().openapi({
      description: "Why a backup of it would fail; null if it would not.",
    }),
  })),
}).openapi("ServerDatabases");

const LoginQuery = z.object({
  database_type: z.enum(DATABASE_TYPES).optional().openapi({
    description: "Default: the kind that is found on the server.",
    example: DATABASE_TYPE,
  }),
  database_host: hostOrSocketDirectory().optional().openapi({
    description: "Default: the task's; without a task, the local socket.",
    example: "127.0.0.1",
  }),
  database_port: integer(1, 65535).optional().openapi({ example: 5432 }),
  database_username: databaseUser().optional().openapi({ example: "backup" }),
  isolated_username: systemUser().optional().openapi({
    description: "The system user that runs the database's programs.",
    example: "www-data",
  }),
  backup_task_id: id().optional().openapi({
    description: "A task of this server. Its login is the default, with its stored password.",
    example: 1,
  }),
});
const LoginInput = LoginQuery.extend({
  database_password: secret(1000).optional().openapi({
    description: "Never stored. Default: the task's password, or the remote server's `database_password`.",
  }),
});

const shared = {
  path: "/api/remote-servers/{id}/databases",
  group: "Remote servers",
  access: "create-backup-tasks",
  ids: { id: "Remote server" },
  refusesUnknown: true,
  errors: {
    409: "The agent is not connected, or too old.",
    422: "The login fails. The error names the field to correct.",
    503: "The agent did not answer in time.",
  },
  answer: {
    status: 200,
    description: "The databases that a task with the `database_name` `*` backs up.",
    content: {
      type: "application/json",
      schema: z.object({ data: Found }),
      example: {
        data: {
          database_type: DATABASE_TYPE,
          server: "PostgreSQL 16.3 at the socket as postgres",
          databases: [{ name: "shop", size: 104857600, problem: null }],
        },
      },
    },
  },
} as const;

export const serverDatabaseEndpoints: readonly Endpoint[] = [
  endpoint({
    ...shared,
    method: "get",
    operationId: "listServerDatabases",
    summary: "List the databases of a server",
    description:
      "For choosing what to back up. The server's agent logs in with the stored password, and changes nothing.",
    query: LoginQuery,
    handle: async ({ services, caller, params, query }) => ({
      status: 200,
      body: { data: await listServerDatabases(services, caller, params.id, query) },
    }),
  }),
  endpoint({
    ...shared,
    method: "post",
    operationId: "listServerDatabasesWithPassword",
    summary: "List the databases of a server with a password that is not stored",
    body: { schema: LoginInput, example: { database_type: DATABASE_TYPE, database_username: "backup" } },
    handle: async ({ services, caller, params, body }) => ({
      status: 200,
      body: { data: await listServerDatabases(services, caller, params.id, body) },
    }),
  }),
];
