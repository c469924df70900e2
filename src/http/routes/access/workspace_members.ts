/**
 * Defines the endpoints of `/api/workspaces/{id}/members`, and the endpoint with which a member leaves a
 * workspace.
 */
import { z } from "@hono/zod-openapi";
import {
  addMember,
  changeRole,
  leaveWorkspace,
  listMembers,
  type MemberRow,
  removeMember,
} from "../../../services/access/workspace_members.ts";
import { trimmed } from "../../../definitions/formats/text.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { PageQuery, windowOf } from "../../input/pagination.ts";
import { dataContent, listBody, listContent, messageContent, type Resource } from "../../resource.ts";
import { isoTime, Time } from "../../input/time.ts";
import { RoleName } from "./roles.ts";

const Member = z.object({
  user_id: z.int(),
  name: z.string(),
  email: z.string(),
  role: RoleName,
  created_at: Time,
}).openapi("WorkspaceMember");

const member: Resource<MemberRow, z.output<typeof Member>> = {
  name: "Member",
  plural: "Members",
  path: "/api/workspaces/{id}/members",
  schema: Member,
  example: {
    user_id: 2,
    name: "Grace Hopper",
    email: "grace@example.com",
    role: "operator",
    created_at: "2024-08-07T00:00:00Z",
  },
  present: ({ user_id, name, email, role, created_at }) => ({
    user_id,
    name,
    email,
    role,
    created_at: isoTime(created_at),
  }),
};

const GROUP = "Workspaces";
const ONE = `${member.path}/{user_id}`;
const idsOfOne = { id: "Workspace", user_id: "Member" };
const LAST = "The member is the last manager, or it is the member's own workspace.";
const removed = "Member successfully removed";
const left = "You have left the workspace";

export const workspaceMemberEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: member.path,
    operationId: "listWorkspaceMembers",
    group: GROUP,
    summary: "List the members of a workspace",
    access: "any token",
    ids: { id: "Workspace" },
    query: PageQuery,
    answer: { status: 200, description: "One page.", content: listContent(member) },
    async handle({ services, caller, params, query, ...sent }) {
      const listed = await listMembers(services, caller, params.id, windowOf(query));
      return { status: 200, body: listBody(member, listed, query, sent) };
    },
  }),
  endpoint({
    method: "post",
    path: member.path,
    operationId: "addWorkspaceMember",
    group: GROUP,
    summary: "Add a user to a workspace",
    access: "manage-workspace",
    needsFreshLogin: true,
    ids: { id: "Workspace" },
    body: {
      schema: z.object({ email: trimmed(z.email()).max(254), role: RoleName }).openapi("NewWorkspaceMember"),
      example: { email: "grace@example.com", role: "operator" },
    },
    answer: { status: 201, description: "The new member.", content: dataContent(member) },
    async handle({ services, caller, params, body }) {
      return {
        status: 201,
        body: { data: member.present(await addMember(services, caller, params.id, body)) },
      };
    },
  }),
  endpoint({
    method: "put",
    path: ONE,
    operationId: "updateWorkspaceMember",
    group: GROUP,
    summary: "Change the role of a member",
    description: "Limits the member's tokens from the next request on; open streams that need more end.",
    access: "manage-workspace",
    needsFreshLogin: true,
    ids: idsOfOne,
    body: {
      schema: z.object({ role: RoleName }).openapi("WorkspaceMemberChanges"),
      example: { role: "viewer" },
    },
    answer: { status: 200, description: "The member after the change.", content: dataContent(member) },
    errors: { 409: LAST },
    async handle({ services, caller, params: { id, user_id }, body }) {
      const changed = await changeRole(services, caller, { workspaceId: id!, userId: user_id! }, body);
      return { status: 200, body: { data: member.present(changed) } };
    },
  }),
  endpoint({
    method: "delete",
    path: ONE,
    operationId: "removeWorkspaceMember",
    group: GROUP,
    summary: "Remove a member from a workspace",
    description: "Revokes the member's tokens for the workspace. The records that the member made stay.",
    access: "manage-workspace",
    ids: idsOfOne,
    answer: {
      status: 200,
      description: "The user is not a member any more.",
      content: messageContent(removed),
    },
    errors: { 409: LAST },
    async handle({ services, caller, params: { id, user_id } }) {
      await removeMember(services, caller, { workspaceId: id!, userId: user_id! });
      return { status: 200, body: { message: removed } };
    },
  }),
  endpoint({
    method: "delete",
    path: "/api/workspaces/{id}/membership",
    operationId: "leaveWorkspace",
    group: GROUP,
    summary: "Leave a workspace",
    description: "Revokes the caller's tokens for the workspace.",
    access: "manage-tokens",
    ids: { id: "Workspace" },
    answer: {
      status: 200,
      description: "The caller is not a member any more.",
      content: messageContent(left),
    },
    errors: { 409: "The caller is the last manager, or it is the caller's own workspace." },
    async handle({ services, caller, params }) {
      await leaveWorkspace(services, caller, params.id);
      return { status: 200, body: { message: left } };
    },
  }),
];
