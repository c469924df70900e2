/** Records the space at destinations, and reports destinations that are nearly full. */
import { NEARLY_FULL_BELOW } from "../../definitions/destinations/nearly_full.ts";
import { definitionOf } from "../../definitions/destinations/registry.ts";
import { ownerOf } from "../../domain/access/owner.ts";
import type { DestinationSpace } from "../../protocol/job.ts";
import { findBackupDestination } from "../../store/destinations/backup_destinations.ts";
import { storeSpace } from "../../store/destinations/destination_space.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { ServiceContext } from "../context.ts";
import { type AlertMessage, endAlert, raiseAlert } from "../notifications/alerts.ts";

/**
 * Margin in percent of a destination's total space. An alert begins when the free space is below the
 * destination's `nearly_full_below`. It ends when the free space is at least `nearly_full_below` plus this
 * margin.
 */
const MARGIN = 5;

/** Where a space was measured: the destination, and the server whose agent measured it. */
interface MeasuredPlace {
  readonly destinationId: number;
  readonly serverId: number | null;
}

/**
 * Stores the space that an agent measured at a destination. Raises an alert if the percentage of free space
 * is below the destination's limit. Ends the alert once the percentage is clearly above the limit.
 */
export async function recordSpace(
  services: Pick<ServiceContext, "clock">,
  sql: Sql,
  { destinationId, serverId }: MeasuredPlace,
  space: DestinationSpace,
): Promise<void> {
  const destination = await findBackupDestination(sql, destinationId);
  const { free, total } = space;
  if (destination === undefined || total === 0) return;
  await storeSpace(sql, destinationId, space, services.clock.now());
  const below = Number(destination.settings.nearly_full_below ?? NEARLY_FULL_BELOW);
  const percent = 100 * free / total;
  // A local destination is on a different disk on each server, so each server has its own alert.
  const where = definitionOf(destination.type).reach === "server" ? ` server ${serverId}` : "";
  const subject = `destination ${destination.id}${where}`;
  const message = (name: AlertMessage["name"]): AlertMessage => ({
    name,
    ...ownerOf(destination),
    taskId: null,
    serverId,
    backupId: null,
    run: null,
    recipients: { workspaceId: destination.workspace_id, exceptStreamId: null },
    reason: `${destination.label} (${destination.id}): ${percent.toFixed(1)} % of ${
      gigabytes(total)
    } is free.`,
    key: `${subject} ${name}`,
  });
  const alert = { kind: "destination.nearly_full", subject } as const;
  if (percent < below) {
    await raiseAlert(services, sql, { ...alert, isLevel: true }, message("destination.nearly_full"));
  } else if (below === 0 || percent >= Math.min(below + MARGIN, 100)) {
    await endAlert(services, sql, alert, message("destination.has_room"));
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
