/**
 * Warns users before their tokens expire. Warns administrators before the last token with the admin ability
 * expires.
 */
import { isoSeconds } from "../../domain/notifications/notification.ts";
import { adminTokensEnd, expiringTokens } from "../../store/access/tokens.ts";
import { listAdministrators } from "../../store/access/users.ts";
import { transaction } from "../../store/database/database.ts";
import { logger } from "../../telemetry/logging.ts";
import type { ServiceContext } from "../context.ts";
import { endAlert, raiseAlert, writeDeliveries } from "../notifications/alerts.ts";

/** How long before a token's expiry the first warning is sent, in milliseconds. */
const WARN_BEFORE = 7 * 24 * 3_600_000;

/**
 * Checks whether a token with the admin ability stays valid for at least another week. If none does, raises
 * an alert for every administrator, and logs a warning. If one does, ends these alerts.
 */
export async function watchAdministratorAccess({ clock, database }: ServiceContext): Promise<void> {
  await transaction(database, async (sql) => {
    const now = clock.now();
    const end = await adminTokensEnd(sql, now);
    const isEnding = end < now.getTime() + WARN_BEFORE;
    const reason = end === -Infinity
      ? "No token with the admin ability is valid any more."
      : isEnding
      ? `No token with the admin ability is valid after ${isoSeconds(new Date(end))}.`
      : null;
    const administrators = await listAdministrators(sql);
    if (reason !== null && administrators.length > 0) logger("services").warn("{reason}", { reason });
    for (const { id, workspace_id } of administrators) {
      const alert = { kind: "access.ending", subject: `user ${id}` } as const;
      if (reason === null) {
        await endAlert({ clock }, sql, alert);
        continue;
      }
      await raiseAlert({ clock }, sql, { ...alert, isLevel: true }, {
        name: "access.ending",
        userId: id,
        workspaceId: workspace_id,
        taskId: null,
        serverId: null,
        backupId: null,
        run: null,
        reason,
        recipients: { workspaceId: workspace_id, exceptStreamId: 0 },
        key: `user ${id} access.ending`,
      });
    }
  });
}

const DAY = 24 * 3_600_000;

/**
 * Notifies a workspace's streams a week before one of the workspace's tokens expires, and again a day before.
 * The first notice is sent only for tokens with a lifetime of two weeks or longer. The second notice is sent
 * only for tokens with a lifetime of two days or longer.
 */
export async function watchExpiringTokens({ clock, database }: ServiceContext): Promise<void> {
  await transaction(database, async (sql) => {
    const now = clock.now();
    for (const token of await expiringTokens(sql, now, new Date(now.getTime() + WARN_BEFORE))) {
      const end = token.expires_at.getTime();
      const notice = end - now.getTime() <= DAY ? DAY : WARN_BEFORE;
      if (end - token.created_at.getTime() < 2 * notice) continue;
      const at = isoSeconds(token.expires_at);
      await writeDeliveries({ clock }, sql, {
        name: "token.expiring",
        userId: token.user_id,
        workspaceId: token.workspace_id,
        taskId: null,
        serverId: null,
        backupId: null,
        run: null,
        reason: `The token ${token.name} (${token.id}) of ${token.email} expires at ${at}.`,
        recipients: { workspaceId: token.workspace_id, exceptStreamId: null },
        key: `token ${token.id} expires ${at}, ${notice / DAY} days before`,
      });
    }
  });
}
