/** Callers that call services without a request: the control plane itself and its administration commands. */
import { ABILITIES } from "../../domain/abilities.ts";
import { OWN_CREDENTIAL } from "../../domain/access/credential.ts";
import { ownWorkspace } from "../../store/access/workspaces.ts";
import type { Caller, ServiceContext } from "../context.ts";

/**
 * Returns a caller that acts for an administrator, with every ability, in the administrator's own workspace.
 */
export async function internalCaller(
  { database }: Pick<ServiceContext, "database">,
  userId: number,
): Promise<Caller> {
  const workspaceId = await ownWorkspace(database, userId);
  return {
    userId,
    workspaceId,
    role: "manager",
    credential: OWN_CREDENTIAL,
    isAdmin: true,
    abilities: new Set(ABILITIES),
  };
}
