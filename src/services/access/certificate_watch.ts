/** Warns administrators before the certificate of the control plane's public URL expires. */
import { isoSeconds } from "../../domain/notifications/notification.ts";
import { readValidity, type Validity } from "../../network/tls_agent.ts";
import { transaction } from "../../store/database/database.ts";
import { listAdministrators } from "../../store/access/users.ts";
import type { ServiceContext } from "../context.ts";
import { endAlert, raiseAlert } from "../notifications/alerts.ts";

/** Warnings begin at most this long before a certificate expires, in milliseconds. */
const WARN_BEFORE = 7 * 24 * 3_600_000;

/**
 * Connects to the public URL as agents do, and reads the certificate. In the certificate's last week, raises
 * an alert for every administrator. If the certificate is valid for less than three weeks in total, raises
 * the alert in the last third of that time. Does nothing if the URL has no TLS, or if the server does not
 * answer.
 */
export async function watchCertificate(
  { clock, database }: Pick<ServiceContext, "clock" | "database">,
  publicUrl: string | null,
): Promise<void> {
  if (publicUrl === null || !publicUrl.startsWith("https:")) return;
  const validity = await readValidity(new URL(publicUrl));
  if (validity === null) return;
  const isEnding = isCertificateEnding(validity, clock.now());
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

/**
 * Returns whether a certificate is in its last week. If the certificate's whole lifetime is less than three
 * weeks, returns whether it is in the last third of its lifetime.
 */
export function isCertificateEnding({ from, to }: Validity, now: Date): boolean {
  const lifetime = to.getTime() - from.getTime();
  return to.getTime() - now.getTime() < Math.min(WARN_BEFORE, lifetime / 3);
}
