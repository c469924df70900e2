/** Makes a set-up link directly in the database, for users who can't log in any more. */
import type { Clock } from "../domain/clock.ts";
import { enterAudit, NO_ORIGIN } from "../services/access/audit_log.ts";
import { insertSetupLink, type SetupLink } from "../services/access/setup_links.ts";
import { findLoginUser } from "../store/access/user_passwords.ts";
import { listAdministrators } from "../store/access/users.ts";
import { transaction } from "../store/database/database.ts";
import type { Database } from "../store/database/sql.ts";

export interface LoginReset {
  readonly database: Database;
  readonly clock: Clock;
  /** The operator who requested the link, for the audit log. */
  readonly operator: string;
  /** The user's email address; null for the first administrator. */
  readonly email: string | null;
}

/**
 * Makes a set-up link for a user. The user's password and second factor stay valid until the user uses the
 * link.
 */
export async function makeSetupLink(
  { database, clock, operator, email }: LoginReset,
): Promise<{ link: SetupLink; email: string }> {
  return await transaction(database, async (sql) => {
    const user = email === null ? (await listAdministrators(sql))[0] : await findLoginUser(sql, email);
    if (user === undefined) {
      throw new Error(
        email === null
          ? "Cannot make a set-up link: there is no administrator. Start the control plane, which makes the first one."
          : `Cannot make a set-up link: no user has the email ${email}. Check the address, or leave out --email.`,
      );
    }
    const link = await insertSetupLink(sql, user.id, clock.now(), true);
    await enterAudit({ database, clock }, {
      actor: { type: "command", name: operator },
      action: "makeSetupLink",
      resource: "users",
      resourceId: user.id,
      result: "done",
      reason: `For ${user.email}.`,
      origin: NO_ORIGIN,
    }, sql);
    return { link, email: user.email };
  });
}
