/** Creates an administrator's token directly in the database. For operators who have no token left. */
import { ABILITIES } from "../domain/abilities.ts";
import type { Clock } from "../domain/clock.ts";
import { enterAudit, NO_ORIGIN } from "../services/access/audit_log.ts";
import { insertToken } from "../services/access/tokens.ts";
import { transaction } from "../store/database/database.ts";
import type { Database } from "../store/database/sql.ts";
import { listAdministrators } from "../store/access/users.ts";

export interface TokenRequest {
  readonly database: Database;
  readonly clock: Clock;
  /** The operator who requested the token, for the audit log. */
  readonly operator: string;
  /** The administrator's email address; null for the first administrator. */
  readonly email: string | null;
}

/**
 * Creates a token for an administrator, with every ability. Returns the token's text and the administrator's
 * email address.
 */
export async function makeAdministratorToken(
  { database, clock, operator, email }: TokenRequest,
): Promise<{ token: string; email: string }> {
  return await transaction(database, async (sql) => {
    const administrators = await listAdministrators(sql);
    const user = email === null
      ? administrators[0]
      : administrators.find((each) => each.email.toLowerCase() === email.toLowerCase());
    if (user === undefined) {
      const known = administrators.map((each) => each.email).join(", ");
      throw new Error(
        administrators.length === 0
          ? "Cannot make a token: there is no administrator. Start the control plane, which makes the first one."
          : `Cannot make a token: no administrator has the email ${email}. Name one of: ${known}.`,
      );
    }
    const now = clock.now();
    const token = { name: `Made by ${operator} with task admin`, abilities: ABILITIES, expires_at: null };
    const { plain, row } = await insertToken(
      sql,
      { userId: user.id, workspaceId: user.workspace_id },
      token,
      now,
    );
    await enterAudit({ database, clock }, {
      actor: { type: "command", name: operator },
      action: "makeAdministratorToken",
      resource: "tokens",
      resourceId: row.id,
      result: "done",
      reason: `For ${user.email}.`,
      origin: NO_ORIGIN,
    }, sql);
    return { token: plain, email: user.email };
  });
}
