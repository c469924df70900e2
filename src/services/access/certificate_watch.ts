/** Warns administrators before the certificate of the control plane's public URL expires. */
import { isoSeconds } from "../../domain/notifications/notification.ts";
import { readValidity } from "../../network/tls_agent.ts";
import { transaction } from "../../store/database/database.ts";
import { listAdministrators } from "../../store/access/users.ts";
import type { ServiceContext } from "../context.ts";
import { endAlert, raiseAlert } from "../notifications/alerts.ts";

/** How long before the expiry administrators are warned at most, in milliseconds. */
const WARN_BEFORE = 7 * 24 * 3_600_000;

/**
 * Reads the certificate as agents and browsers see it, and raises an alert for every administrator in its
 * last week. A certificate that is made for less than three weeks is reported in the last third of its time.
 * Does nothing if the URL has no TLS, or if the server does not answer.
 */
export async function watchCertificate(
  { clock, database }: Pick<ServiceContext, "clock" | "database">,
  publicUrl: string | null,
): Promise<void> {
  if (publicUrl === null || !publicUrl.startsWith("https:")) return;
  const validity = await readValidity(new URL(publicUrl));
  if (validity === null) return;
  const lifetime = validity.to.getTime() - validity.from.getTime();
  const left = validity.to.getTime() - clock.now().getTime();
  const isEnding = left < Math.min(WARN_BEFORE, lifetime / 3);
  await transaction(database, async (sql) => {
    for (const { id, workspace_id } of await listAdministrators(sql)) {
      const alert = { kind: "certificate.expiring", subject: `user ${id}` } as const;
      if (!isEnding) {
        await endAlert({ clock }, sql, alert);
        continue;
      }
      await raiseAlert({ clock }, sql, { ...alert, isLevel: true }, {
        name: "certificate.expiring",
        userId: id,
        workspaceId: workspace_id,
        taskId: null,
        serverId: null,
        backupId: null,
        run: null,
        reason: `The certificate of ${new URL(publicUrl).host} is valid until ${isoSeconds(validity.to)}.`,
        recipients: { workspaceId: workspace_id, exceptStreamId: null },
        key: `user ${id} certificate.expiring`,
      });
    }
  });
}
