/** The members of workspaces: adds and removes them, and changes their roles. */
import type { Role } from "../../domain/access/roles.ts";
import { ConflictError, InvalidError, NotFoundError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import { findUserByEmail } from "../../store/access/users.ts";
import * as store from "../../store/access/workspace_members.ts";
import type { WorkspaceRow } from "../../store/access/workspaces.ts";
import { transaction } from "../../store/database/database.ts";
import { notify } from "../../store/database/event_bus.ts";
import type { Page } from "../../store/database/page.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { keepingAdministrator } from "./administrator_access.ts";
import { lockManaged, lockReached, showWorkspace } from "./workspaces.ts";

export type { MemberRow } from "../../store/access/workspace_members.ts";

/** The ids of a workspace and of a user. The user is a member of the workspace, or becomes one. */
export interface MemberIds {
  readonly workspaceId: number;
  readonly userId: number;
}

export async function listMembers(
  services: ServiceContext,
  caller: Caller,
  workspaceId: number,
  window: PageWindow,
): Promise<Page<store.MemberRow>> {
  const { id } = await showWorkspace(services, caller, workspaceId);
  return await store.listMembers(services.database, id, window);
}

/**
 * Adds a user to a workspace. Throws an `InvalidError` if no user has the email address, or if the user is
 * already a member.
 */
export function addMember(
  services: ServiceContext,
  caller: Caller,
  workspaceId: number,
  { email, role }: { email: string; role: Role },
): Promise<store.MemberRow> {
  return transaction(services.database, async (sql) => {
    await lockManaged(sql, caller, workspaceId);
    const user = await findUserByEmail(sql, email);
    if (user === undefined) {
      throw new InvalidError({ email: ["No user has this email. An administrator creates users."] });
    }
    const member = { workspace_id: workspaceId, user_id: user.id, role };
    if (!await store.insertMember(sql, member, services.clock.now())) {
      throw new InvalidError({ email: ["The user is a member already."] });
    }
    await notify(sql, { topic: "tokens_changed", user_id: user.id });
    return (await store.findMember(sql, workspaceId, user.id))!;
  });
}

/** Changes a member's role. The new role limits the member's tokens from the next request on. */
export function changeRole(
  services: ServiceContext,
  caller: Caller,
  { workspaceId, userId }: MemberIds,
  { role }: { role: Role },
): Promise<store.MemberRow> {
  return transaction(services.database, async (sql) => {
    const workspace = await lockManaged(sql, caller, workspaceId);
    const member = found(await store.findMember(sql, workspaceId, userId));
    if (member.role === role) return member;
    await refuseWithoutManager(sql, workspace, member);
    await store.updateMemberRole(sql, { workspace_id: workspaceId, user_id: userId, role });
    await notify(sql, { topic: "tokens_changed", user_id: userId });
    return { ...member, role };
  });
}

/**
 * Removes a member from a workspace. Revokes the member's tokens for the workspace, and ends the open streams
 * of these tokens.
 */
export function removeMember(
  services: ServiceContext,
  caller: Caller,
  { workspaceId, userId }: MemberIds,
): Promise<void> {
  return transaction(services.database, async (sql) => {
    const workspace = await lockManaged(sql, caller, workspaceId);
    await removeFrom(services, sql, workspace, found(await store.findMember(sql, workspaceId, userId)));
  });
}

/** Removes the caller from a workspace. */
export function leaveWorkspace(services: ServiceContext, caller: Caller, id: number): Promise<void> {
  return transaction(services.database, async (sql) => {
    const workspace = await lockReached(sql, caller, id);
    await removeFrom(services, sql, workspace, found(await store.findMember(sql, id, caller.userId)));
  });
}

/** Removes a member from a workspace, in the caller's transaction. */
export async function removeFrom(
  services: ServiceContext,
  sql: Sql,
  workspace: WorkspaceRow,
  member: store.MemberRow,
): Promise<void> {
  await refuseWithoutManager(sql, workspace, member);
  const now = services.clock.now();
  await keepingAdministrator(services, sql, () => store.deleteMember(sql, member, now));
  await notify(sql, { topic: "tokens_changed", user_id: member.user_id });
}

/**
 * Throws a `ConflictError` if the member must stay a manager: the workspace is the member's own, or the
 * member is its last manager.
 */
export async function refuseWithoutManager(
  sql: Sql,
  { id, name, user_id }: WorkspaceRow,
  member: store.MemberRow,
): Promise<void> {
  if (member.user_id === user_id) {
    throw new ConflictError(`It is the own workspace of ${member.name}, who stays its manager.`);
  }
  if (member.role !== "manager" || await store.countOtherManagers(sql, id, member.user_id) > 0) return;
  throw new ConflictError(
    `${member.name} is the last manager of ${name}. Make another member a manager first.`,
  );
}

function found(row: store.MemberRow | undefined): store.MemberRow {
  if (row === undefined) throw new NotFoundError("Member");
  return row;
}
