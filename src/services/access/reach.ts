/** Decides which workspaces a caller can access. */
import { isOwnWorkspace, type Reach } from "../../store/access/workspaces.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { Caller } from "../context.ts";

/** The errors of a request that names a workspace that the caller can't access. */
export const INVALID_WORKSPACE = { workspace_id: ["The selected workspace is invalid."] };

/**
 * Returns which workspaces a caller can access.
 * - An administrator: every workspace.
 * - A session, or a token for the user's own workspace: every workspace of which the user is a member.
 * - A token for another workspace: only that workspace.
 */
export async function reachOf(sql: Sql, caller: Caller): Promise<Reach> {
  const { credential, userId, workspaceId } = caller;
  const reachesAll = credential.kind === "session" || await isOwnWorkspace(sql, userId, workspaceId);
  return { userId, only: reachesAll ? null : workspaceId, isAll: caller.abilities.has("admin") };
}

/**
 * Returns whether the caller can access what belongs to the user and not to a workspace, such as the user's
 * sessions. A session can. A token for the user's own workspace can, too; a token for another workspace
 * can't.
 */
export async function reachesAccount(sql: Sql, caller: Caller): Promise<boolean> {
  return (await reachOf(sql, caller)).only === null;
}
