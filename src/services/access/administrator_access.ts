/**
 * Keeps at least one administrator able to work: without a token, nobody could create another one through the
 * API.
 */
import { ConflictError } from "../../domain/errors.ts";
import { isoSeconds } from "../../domain/notifications/notification.ts";
import { adminTokensEnd } from "../../store/access/tokens.ts";
import { lockAdmins } from "../../store/access/users.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { ServiceContext } from "../context.ts";

/** Minimum time for which a change must leave tokens with the admin ability valid. Milliseconds. */
const MIN_LEFT = 24 * 3_600_000;

/**
 * Carries out a change that may end administrators' tokens: one is deleted, weakened or expires, or its user
 * is demoted or deleted. Throws a {@link ConflictError}, which undoes the change, if no token with the admin
 * ability is left, or only ones that expire within a day.
 */
export async function keepingAdministrator<T>(
  { clock }: Pick<ServiceContext, "clock">,
  sql: Sql,
  change: () => Promise<T>,
): Promise<T> {
  // Two administrators who end each other's access at the same time must not both succeed.
  await lockAdmins(sql);
  const now = clock.now();
  const before = await adminTokensEnd(sql, now);
  const result = await change();
  const after = await adminTokensEnd(sql, now);
  if (after >= before || after >= now.getTime() + MIN_LEFT) return result;
  throw new ConflictError(
    after === -Infinity
      ? "This would end the last token with the admin ability: without it nobody could make another. Make another one " +
        "first."
      : `This would leave no token with the admin ability after ${
        isoSeconds(new Date(after))
      }, and then nobody ` +
        "could make another. Make one that lasts longer first.",
  );
}
