/** Creates the first user of a new control plane. */
import { ownWorkspace } from "../../store/access/workspaces.ts";
import { ABILITIES } from "../../domain/abilities.ts";
import { transaction } from "../../store/database/database.ts";
import { lockUsersTable } from "../../store/access/bootstrap.ts";
import { insertUser } from "../../store/access/users.ts";
import { enterAudit, NO_ORIGIN } from "./audit_log.ts";
import type { ServiceContext } from "../context.ts";
import { insertSetupLink, type SetupLink, setupUrl } from "./setup_links.ts";
import { insertToken, isValidToken } from "./tokens.ts";

/**
 * Creates an administrator, a token with every ability, and a set-up link. Returns the user, the token's
 * plain text and the link. Returns null if there is a user already. If several replicas start at once, only
 * one of them creates the user.
 *
 * @param plain The token that the operator chose; null generates a random token.
 */
export async function createFirstAdministrator(
  services: ServiceContext,
  plain: string | null,
): Promise<{ userId: number; token: string; link: SetupLink } | null> {
  return await transaction(services.database, async (sql) => {
    if (await lockUsersTable(sql) > 0) return null;
    const now = services.clock.now();
    const user = await insertUser(
      sql,
      { name: "Administrator", email: "admin@localhost", is_admin: true },
      now,
    );
    const token = { name: "First administrator", abilities: ABILITIES, expires_at: null };
    const issued = await insertToken(
      sql,
      { userId: user.id, workspaceId: await ownWorkspace(sql, user.id) },
      token,
      now,
      plain ?? undefined,
    );
    await enterAudit(services, {
      actor: { type: "system" },
      action: "createFirstAdministrator",
      resource: "users",
      resourceId: user.id,
      result: "done",
      origin: NO_ORIGIN,
    }, sql);
    return { userId: user.id, token: issued.plain, link: await insertSetupLink(sql, user.id, now) };
  });
}

/**
 * If there is no user yet, creates the first administrator and prints the set-up link. Also prints the API
 * token if it was generated. If there is a user already, warns if `BOOTSTRAP_TOKEN` is set but is not a valid
 * token.
 */
export async function announceFirstAdministrator(
  services: ServiceContext,
  { url, bootstrapToken }: { url: string; bootstrapToken: string | null },
  terminal: { print(line: string): void; printError(line: string): void },
): Promise<void> {
  const created = await createFirstAdministrator(services, bootstrapToken);
  if (created !== null) {
    if (bootstrapToken === null) {
      terminal.print(`The first administrator's API token, shown only now: ${created.token}`);
    }
    const { link } = created;
    terminal.print(
      `To log in with a browser, set a password within 24 hours, once: ${setupUrl(url, link)}`,
    );
  } else if (bootstrapToken !== null && !await isValidToken(services, bootstrapToken)) {
    terminal.printError(
      "BOOTSTRAP_TOKEN is not used: there is an administrator already, and no token like it. Remove it, or make a new " +
        "token with `deno task admin token`.",
    );
  }
}
