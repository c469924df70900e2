/** Workspaces: says which of them a caller can access, and creates, changes and deletes them. */
import { type Ability } from "../../domain/abilities.ts";
import { abilitiesOf } from "../../domain/access/roles.ts";
import { ConflictError, ForbiddenError, InvalidError, NotFoundError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import { recordCreated } from "../../store/access/audited_request.ts";
import { insertMember, listMembers } from "../../store/access/workspace_members.ts";
import * as store from "../../store/access/workspaces.ts";
import { transaction } from "../../store/database/database.ts";
import { notify } from "../../store/database/event_bus.ts";
import type { Page } from "../../store/database/page.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { keepingAdministrator } from "./administrator_access.ts";
import { updateSessionWorkspace } from "../../store/access/sessions.ts";
import { INVALID_WORKSPACE, reachOf } from "./reach.ts";
import { keptRecords } from "./kept_records.ts";

export type { WorkspaceFilter, WorkspaceRow } from "../../store/access/workspaces.ts";

const MANAGE: Ability = "manage-workspace";

export async function listWorkspaces(
  { database }: ServiceContext,
  caller: Caller,
  window: PageWindow,
  { all = false, ...filter }: store.WorkspaceFilter & { all?: boolean },
): Promise<Page<store.WorkspaceRow>> {
  if (all && !caller.abilities.has("admin")) {
    throw new ForbiddenError("Only administrators list the workspaces of all users.");
  }
  const reach = await reachOf(database, caller);
  return await store.listWorkspaces(database, { ...reach, isAll: all }, filter, window);
}

export async function showWorkspace(
  { database }: ServiceContext,
  caller: Caller,
  id: number,
): Promise<store.WorkspaceRow> {
  return found(await store.findWorkspace(database, await reachOf(database, caller), id));
}

/** Creates a workspace, and makes the caller its manager. */
export function createWorkspace(
  services: ServiceContext,
  caller: Caller,
  { name }: { name: string },
): Promise<store.WorkspaceRow> {
  return transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const id = await store.insertWorkspace(sql, name, now);
    await insertMember(sql, { workspace_id: id, user_id: caller.userId, role: "manager" }, now);
    recordCreated(id);
    const reach = { userId: caller.userId, only: id, isAll: false };
    return found(await store.findWorkspace(sql, reach, id));
  });
}

export function updateWorkspace(
  services: ServiceContext,
  caller: Caller,
  id: number,
  { name }: { name?: string },
): Promise<store.WorkspaceRow> {
  return transaction(services.database, async (sql) => {
    const workspace = await lockManaged(sql, caller, id);
    if (name === undefined) return workspace;
    await store.renameWorkspace(sql, id, name, services.clock.now());
    return found(await store.findWorkspace(sql, await reachOf(sql, caller), id));
  });
}

/** Chooses the workspace in which the caller's session acts from now on. Ends the session's open streams. */
export function chooseWorkspace(
  services: ServiceContext,
  caller: Caller,
  workspaceId: number,
): Promise<store.WorkspaceRow> {
  return transaction(services.database, async (sql) => {
    const reach = { ...await reachOf(sql, caller), isAll: false };
    const workspace = await store.findWorkspace(sql, reach, workspaceId);
    if (workspace === undefined) throw new InvalidError(INVALID_WORKSPACE);
    await updateSessionWorkspace(sql, caller.credential.id, workspaceId);
    await notify(sql, { topic: "tokens_changed", user_id: caller.userId });
    return workspace;
  });
}

/**
 * Deletes a workspace. Throws a `ConflictError` if the workspace has tasks, servers, destinations or backups.
 * Also throws it for a user's own workspace, which is deleted with the user.
 */
export function deleteWorkspace(services: ServiceContext, caller: Caller, id: number): Promise<void> {
  return transaction(services.database, async (sql) => {
    const { name, user_id } = await lockManaged(sql, caller, id);
    if (user_id !== null) {
      throw new ConflictError(`${name} is a user's own workspace. It is deleted with the user.`);
    }
    const kept = await keptRecords(services, sql, [id]);
    if (kept.length > 0) {
      throw new ConflictError(`${name} still has ${kept.join(", ")}; delete those first.`);
    }
    const { rows } = await listMembers(sql, id, { offset: 0, limit: Number.MAX_SAFE_INTEGER });
    await keepingAdministrator(services, sql, () => store.deleteWorkspace(sql, id));
    for (const { user_id } of rows) await notify(sql, { topic: "tokens_changed", user_id });
  });
}

/**
 * Locks a workspace until the transaction ends. Throws a `NotFoundError` if the caller can't access the
 * workspace.
 */
export async function lockReached(sql: Sql, caller: Caller, id: number): Promise<store.WorkspaceRow> {
  return found(await store.lockWorkspace(sql, await reachOf(sql, caller), id));
}

/**
 * Locks a workspace until the transaction ends. Throws a `NotFoundError` if the caller can't access the
 * workspace. Throws a `ForbiddenError` if the caller can't manage it.
 */
export async function lockManaged(sql: Sql, caller: Caller, id: number): Promise<store.WorkspaceRow> {
  return managedBy(caller, await lockReached(sql, caller, id));
}

/** Returns a workspace that the caller can manage. Throws the errors of {@link lockManaged}. */
export async function findManaged(sql: Sql, caller: Caller, id: number): Promise<store.WorkspaceRow> {
  return managedBy(caller, found(await store.findWorkspace(sql, await reachOf(sql, caller), id)));
}

function managedBy(caller: Caller, workspace: store.WorkspaceRow): store.WorkspaceRow {
  const { role } = workspace;
  const isManager = role !== null && abilitiesOf(role, false).has(MANAGE);
  if (isManager || caller.abilities.has("admin")) return workspace;
  throw new ForbiddenError(`The role ${role} lacks the ${MANAGE} ability.`);
}

function found(row: store.WorkspaceRow | undefined): store.WorkspaceRow {
  if (row === undefined) throw new NotFoundError("Workspace");
  return row;
}
