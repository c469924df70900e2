/** Says how much is stored at destinations, how fast they fill, and what they cost. */
import { definitionOf } from "../../definitions/destinations/registry.ts";
import { NotFoundError } from "../../domain/errors.ts";
import {
  costPerMonth,
  daysUntilFull,
  GROWTH_DAYS,
  growthPerDay,
} from "../../domain/history/storage_forecast.ts";
import {
  type BackupDestinationRow,
  findBackupDestinationOf,
} from "../../store/destinations/backup_destinations.ts";
import {
  type TaskUsageRow,
  usageByTask,
  usageOf,
  type UsageRow,
} from "../../store/destinations/destination_usage.ts";
import type { Caller, ServiceContext } from "../context.ts";

export interface DestinationUsage {
  readonly stored_bytes: number;
  readonly backups_count: number;
  /** Average growth over the last 30 days. Null until one day after the first backup was stored here. */
  readonly growth_bytes_per_day: number | null;
  readonly days_until_full: number | null;
  readonly cost_per_month: number | null;
}

/** A destination with what is stored there. */
export interface UsedDestination extends BackupDestinationRow {
  readonly usage: DestinationUsage;
}

/** Adds its usage to each of the given destinations. They belong to the caller's workspace. */
export async function withUsage(
  { clock, database }: ServiceContext,
  { workspaceId }: Caller,
  rows: readonly BackupDestinationRow[],
): Promise<UsedDestination[]> {
  const now = clock.now();
  const since = new Date(now.getTime() - GROWTH_DAYS * 24 * 3_600_000);
  const usages = await usageOf(database, workspaceId, rows.map(({ id }) => id), since);
  const byId = new Map(usages.map((usage) => [usage.id, usage]));
  return rows.map((row) => ({ ...row, usage: usageAt(row, byId.get(row.id)!, now) }));
}

/** Returns what is stored at a destination, in total and for each task. */
export async function showDestinationUsage(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<DestinationUsage & { readonly tasks: readonly TaskUsageRow[] }> {
  const row = await findBackupDestinationOf(services.database, caller.workspaceId, id);
  if (row === undefined) throw new NotFoundError("Backup destination");
  const [used] = await withUsage(services, caller, [row]);
  return { ...used!.usage, tasks: await usageByTask(services.database, id) };
}

function usageAt(row: BackupDestinationRow, usage: UsageRow, now: Date): DestinationUsage {
  const { stored_bytes, backups_count, has_several_servers, grown_bytes, grown_since } = usage;
  const growth = growthPerDay(grown_bytes, grown_since, now);
  // Each server has a disk of its own for a local destination. The free space is known for only one of these
  // disks. So no forecast is possible if several servers have backups there.
  const isOneDisk = definitionOf(row.type).reach !== "server" || !has_several_servers;
  const price = row.settings.price_per_gb_month;
  return {
    stored_bytes,
    backups_count,
    growth_bytes_per_day: growth,
    days_until_full: isOneDisk ? daysUntilFull(row.space_free_bytes, growth) : null,
    cost_per_month: costPerMonth(stored_bytes, price === undefined ? null : Number(price)),
  };
}
