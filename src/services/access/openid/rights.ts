/** Gives users the rights that belong to their groups. The groups come from the OpenID Connect provider. */
import { type GroupGrant, rightsOf } from "../../../domain/access/openid.ts";
import { NO_ORIGIN } from "../../../domain/audit.ts";
import type { Role } from "../../../domain/access/roles.ts";
import { ConflictError } from "../../../domain/errors.ts";
import { findMember, insertMember, updateMemberRole } from "../../../store/access/workspace_members.ts";
import { lockAdmins, lockUser, updateUser } from "../../../store/access/users.ts";
import { lockWorkspace } from "../../../store/access/workspaces.ts";
import { transaction } from "../../../store/database/database.ts";
import { notify } from "../../../store/database/event_bus.ts";
import type { ServiceContext } from "../../context.ts";
import { logger } from "../../../telemetry/logging.ts";
import { keepingAdministrator } from "../administrator_access.ts";
import { enterAudit } from "../audit_log.ts";
import { refuseWithoutManager, removeFrom } from "../workspace_members.ts";

const log = logger("openid");

/**
 * Gives a user the rights of their groups, and takes away the rights that the groups do not give. Changes
 * only roles in the workspaces that the grants name. Changes administrators' rights only if the grants name
 * administrators.
 *
 * Does not take a right away if this would leave nobody to manage a workspace or this control plane. Writes a
 * warning to the log instead.
 */
export async function applyGroups(
  services: ServiceContext,
  userId: number,
  grants: readonly GroupGrant[],
  groups: readonly string[],
): Promise<void> {
  const { isAdmin, roles } = rightsOf(grants, groups);
  const changes: [about: string, change: () => Promise<void>][] = [];
  if (isAdmin !== null) changes.push(["administrator", () => setAdmin(services, userId, isAdmin)]);
  for (const [id, role] of roles) {
    changes.push([`workspace ${id}`, () => setRole(services, userId, id, role)]);
  }
  for (const [about, change] of changes) {
    try {
      await change();
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      log.warning("Cannot apply the groups of user {id} to {about}: {reason}", {
        id: userId,
        about,
        reason: error.message,
      });
    }
  }
}

function setAdmin(services: ServiceContext, userId: number, isAdmin: boolean): Promise<void> {
  return transaction(services.database, async (sql) => {
    const admins = await lockAdmins(sql);
    const user = await lockUser(sql, userId);
    if (user === undefined || user.is_admin === isAdmin) return;
    if (admins.length === 1 && !isAdmin) throw new ConflictError("It is the last administrator.");
    const update = () => updateUser(sql, userId, { is_admin: isAdmin }, services.clock.now());
    await (isAdmin ? update() : keepingAdministrator(services, sql, update));
    await notify(sql, { topic: "tokens_changed", user_id: userId });
    await enterAudit(services, {
      ...changeOf(userId),
      action: "updateUser",
      resource: "users",
      resourceId: userId,
    }, sql);
  });
}

function setRole(
  services: ServiceContext,
  userId: number,
  workspaceId: number,
  role: Role | null,
): Promise<void> {
  return transaction(services.database, async (sql) => {
    const workspace = await lockWorkspace(sql, { userId, only: null, isAll: true }, workspaceId);
    if (workspace === undefined) throw new ConflictError("There is no such workspace.");
    const member = await findMember(sql, workspaceId, userId);
    if ((member?.role ?? null) === role) return;
    const ids = { workspace_id: workspaceId, user_id: userId };
    if (member === undefined) await insertMember(sql, { ...ids, role: role! }, services.clock.now());
    else if (role === null) await removeFrom(services, sql, workspace, member);
    else {
      await refuseWithoutManager(sql, workspace, member);
      await keepingAdministrator(services, sql, () => updateMemberRole(sql, { ...ids, role }));
    }
    await notify(sql, { topic: "tokens_changed", user_id: userId });
    const action = member === undefined
      ? "addWorkspaceMember"
      : role === null
      ? "removeWorkspaceMember"
      : "updateWorkspaceMember";
    const about = { resource: "workspaces", resourceId: workspaceId, workspaceId };
    await enterAudit(services, { ...changeOf(userId), action, ...about }, sql);
  });
}

/** Returns the common part of the audit log entries for changes that a user's groups cause. */
function changeOf(userId: number) {
  return { actor: { type: "unknown", userId }, result: "done", origin: NO_ORIGIN } as const;
}
