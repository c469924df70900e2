/** Decides which workspaces a caller reaches. */
import { isOwnWorkspace, type Reach } from "../../store/access/workspaces.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { Caller } from "../context.ts";

/** The errors of a request that names a workspace of which the user is not a member. */
export const INVALID_WORKSPACE = { workspace_id: ["The selected workspace is invalid."] };

/**
 * Returns which workspaces a caller reaches. A session, and a token for the user's own workspace, reach every
 * workspace of the user. A token for another workspace reaches that one alone. Administrators reach every
 * workspace.
 */
export async function reachOf(sql: Sql, caller: Caller): Promise<Reach> {
  const { credential, userId, workspaceId } = caller;
  const reachesAll = credential.kind === "session" || await isOwnWorkspace(sql, userId, workspaceId);
  return { userId, only: reachesAll ? null : workspaceId, isAll: caller.abilities.has("admin") };
}
