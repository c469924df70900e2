/** Defines the endpoints of `/api/workspaces`. */
import { z } from "@hono/zod-openapi";
import {
  chooseWorkspace,
  createWorkspace,
  deleteWorkspace,
  listWorkspaces,
  showWorkspace,
  updateWorkspace,
  type WorkspaceRow,
} from "../../../services/access/workspaces.ts";
import { id, line } from "../../../definitions/formats/text.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { searchParameter } from "../../input/list_filters.ts";
import {
  createEndpoint,
  dataContent,
  deleteEndpoint,
  listEndpoint,
  type Resource,
  showEndpoint,
  updateEndpoint,
} from "../../resource.ts";
import { isoTime, Time } from "../../input/time.ts";
import { RoleName } from "./roles.ts";

const Workspace = z.object({
  id: z.int(),
  name: z.string(),
  own_of_user_id: z.int().nullable().openapi({
    description: "The user whose own workspace this is. Null for other workspaces.",
  }),
  role: RoleName.nullable().openapi({ description: "The caller's. Null: the caller is not a member." }),
  members_count: z.int(),
  created_at: Time,
  updated_at: Time,
}).openapi("Workspace");

const workspace: Resource<WorkspaceRow, z.output<typeof Workspace>> = {
  name: "Workspace",
  plural: "Workspaces",
  path: "/api/workspaces",
  schema: Workspace,
  example: {
    id: 3,
    name: "Accounting",
    own_of_user_id: null,
    role: "manager",
    members_count: 2,
    created_at: "2024-08-07T00:00:00Z",
    updated_at: "2024-08-07T00:00:00Z",
  },
  present: (row) => ({
    id: row.id,
    name: row.name,
    own_of_user_id: row.user_id,
    role: row.role,
    members_count: row.members_count,
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }),
};

const fields = z.object({ name: line(255) });
const example = { name: "Accounting" };

export const workspaceEndpoints: readonly Endpoint[] = [
  listEndpoint(workspace, {
    access: "any token",
    description:
      "The workspaces of which the caller is a member. A token for another workspace than the user's own lists that one alone.",
    filters: {
      all: z.boolean().optional().openapi({
        example: true,
        description: "Also workspaces of which the caller is not a member; for administrators.",
      }),
      search: searchParameter("the name"),
    },
    sorts: ["name"],
    list: listWorkspaces,
  }),
  createEndpoint(workspace, {
    access: "manage-workspace",
    description: "The caller becomes its manager. `POST /api/tokens` creates a token for it.",
    body: fields.openapi("NewWorkspace"),
    example,
    create: createWorkspace,
  }),
  showEndpoint(workspace, { access: "any token", show: showWorkspace }),
  updateEndpoint(workspace, {
    access: "manage-workspace",
    body: fields.partial().openapi("WorkspaceChanges"),
    example,
    update: updateWorkspace,
  }),
  deleteEndpoint(workspace, {
    access: "manage-workspace",
    description: "Deletes its tokens, tags, scripts and notification streams too.",
    errors: {
      409: "It still has tasks, servers, destinations or backups, or it is the own workspace of a user.",
    },
    remove: deleteWorkspace,
  }),
  endpoint({
    method: "put",
    path: "/api/session/workspace",
    operationId: "chooseWorkspace",
    group: "Log-in",
    summary: "Choose the session's workspace",
    description:
      "A session begins in the user's own workspace. It returns there if the user is no longer a member of the chosen one. Open " +
      "streams of the session end.",
    access: "session",
    body: {
      schema: z.object({ workspace_id: id() }).openapi("WorkspaceChoice"),
      example: { workspace_id: 3 },
    },
    answer: { status: 200, description: "The workspace.", content: dataContent(workspace) },
    async handle({ services, caller, body }) {
      const chosen = await chooseWorkspace(services, caller, body.workspace_id);
      return { status: 200, body: { data: workspace.present(chosen) } };
    },
  }),
];
