/**
 * Finds the user that belongs to a person whom the OpenID Connect provider has identified. If no user is
 * linked to the person yet, links an existing user or creates one.
 */
import {
  hasRights,
  type OpenidIdentity,
  type OpenidSettings,
  rightsOf,
} from "../../../domain/access/openid.ts";
import { UnauthenticatedError } from "../../../domain/errors.ts";
import { insertIdentity, useIdentity } from "../../../store/access/openid_identities.ts";
import { findUserByEmail, insertUser, lockUser, type UserRow } from "../../../store/access/users.ts";
import { transaction } from "../../../store/database/database.ts";
import type { ServiceContext } from "../../context.ts";
import { logger } from "../../../telemetry/logging.ts";

const log = logger("openid");

/**
 * Returns the user of a person whom the provider has identified. If the person has logged in before, finds
 * the user by the person's subject at the provider. At the first log-in, finds the user by the person's email
 * address, which the provider must have verified. If no user has this address, creates a user if the settings
 * allow it.
 *
 * @throws {UnauthenticatedError} If the person can't log in as any user. The message is the same for every
 * reason.
 */
export function accountOf(
  { clock, database }: ServiceContext,
  settings: OpenidSettings,
  identity: OpenidIdentity,
): Promise<UserRow> {
  const { label, createsUsers, grants } = settings;
  return transaction(database, async (sql) => {
    const now = clock.now();
    const refuse = (reason: string, userId?: number): never => {
      const message = `No account here can be used with your log-in at ${label}. Ask an administrator.`;
      log.warning("A log-in with {issuer} was refused: {reason}", { issuer: identity.issuer, reason });
      throw new UnauthenticatedError(message, userId === undefined ? null : { userId, reason });
    };
    const linked = await useIdentity(sql, identity, now);
    if (linked !== null) return await lockUser(sql, linked) ?? refuse("Its user was deleted.", linked);
    if (identity.email === null) return refuse("The provider has not verified the email address.");
    const rights = rightsOf(grants, identity.groups);
    const found = await findUserByEmail(sql, identity.email);
    if (found === undefined && !createsUsers) return refuse("No user has this email address.");
    if (found === undefined && grants.length > 0 && !hasRights(rights)) {
      return refuse("No group of the person has a role here.");
    }
    // Link an administrator's account only if the provider's groups also make the person an administrator.
    // Otherwise, a person could become administrator here just by getting an administrator's email address at
    // the provider.
    if (found?.is_admin === true && rights.isAdmin !== true) {
      return refuse("An administrator's account is linked only by a group with administrator.", found.id);
    }
    const { email, name } = identity;
    const user = found === undefined
      ? await insertUser(sql, { name, email, is_admin: false }, now)
      : await lockUser(sql, found.id);
    if (user === undefined) return refuse("Its user was deleted.", found!.id);
    if (!await insertIdentity(sql, user.id, identity, now)) {
      return refuse("The account is linked to another person at the provider.", user.id);
    }
    return user;
  });
}
