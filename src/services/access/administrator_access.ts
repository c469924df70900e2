/**
 * Refuses changes that would leave no usable token with the admin ability. Without such a token, nobody could
 * create one through the API.
 */
import { ConflictError } from "../../domain/errors.ts";
import { isoSeconds } from "../../domain/notifications/notification.ts";
import { adminTokensEnd } from "../../store/access/tokens.ts";
import { lockAdmins } from "../../store/access/users.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { ServiceContext } from "../context.ts";

/** Minimum time for which a token with the admin ability must stay valid after a change, in milliseconds. */
const MIN_LEFT = 24 * 3_600_000;

/**
 * Carries out a change that might end administrators' tokens, and returns the result of `change`. Such a
 * change deletes or weakens a token, makes it expire, or demotes or deletes its user.
 *
 * After the change, at least one token with the admin ability must stay valid for another day. If no token
 * was valid for that long before the change, one must stay valid for as long as before. Otherwise throws a
 * {@link ConflictError}, which undoes the change.
 */
export async function keepingAdministrator<T>(
  { clock }: Pick<ServiceContext, "clock">,
  sql: Sql,
  change: () => Promise<T>,
): Promise<T> {
  // Without the lock, two administrators could end each other's access at the same time.
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
