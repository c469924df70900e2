/** Says how many backups and bytes were stored on each day. */
import { boundariesOf, datesOf, type DayRange } from "../../domain/history/day_range.ts";
import { InvalidError } from "../../domain/errors.ts";
import {
  type StorageChange,
  storageHistoryStart,
  type StorageScope,
  sumStorageByDay,
} from "../../store/history/storage_history.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { completeRange, type RequestedRange } from "./day_range.ts";

export interface StorageDay {
  readonly date: string;
  /** Stored bytes at the end of the day. */
  readonly stored_bytes: number;
  readonly backups_count: number;
  readonly added_bytes: number;
  readonly removed_bytes: number;
}

export interface StorageDays extends DayRange {
  /**
   * When the database began to record removals. Backups that were removed before this time are missing from
   * the numbers of the days before it. Null in two cases: the range does not begin before this time, or the
   * workspace has no backups from before this time.
   */
  readonly exactSince: Date | null;
  /** Every day of the range, the oldest first. */
  readonly days: readonly StorageDay[];
}

interface StorageDaysRequest extends RequestedRange {
  readonly backup_task_id?: number | undefined;
  readonly backup_destination_id?: number | undefined;
}

const NONE: StorageChange = { added_count: 0, added_bytes: 0, removed_count: 0, removed_bytes: 0 };

/** Returns what was stored on each day: in the workspace, at one destination, or of one task. */
export async function showStorageDays(
  services: ServiceContext,
  caller: Caller,
  request: StorageDaysRequest,
): Promise<StorageDays> {
  const { database } = services;
  const scope = scopeOf(caller, request);
  const range = await completeRange(services, caller, request);
  const boundaries = boundariesOf(range);
  const [rows, start] = await Promise.all([
    sumStorageByDay(database, caller.workspaceId, scope, boundaries),
    storageHistoryStart(database, caller.workspaceId),
  ]);
  const changes = new Map(rows.map(({ day, ...change }) => [day, change]));
  const before = changes.get(-1) ?? NONE;
  let stored = before.added_bytes - before.removed_bytes;
  let count = before.added_count - before.removed_count;
  const days = datesOf(range).map((date, index) => {
    const { added_bytes, added_count, removed_bytes, removed_count } = changes.get(index) ?? NONE;
    stored += added_bytes - removed_bytes;
    count += added_count - removed_count;
    return { date, stored_bytes: stored, backups_count: count, added_bytes, removed_bytes };
  });
  return { ...range, exactSince: start !== null && start > boundaries[0]! ? start : null, days };
}

function scopeOf({ workspaceId }: Caller, request: StorageDaysRequest): StorageScope {
  const { backup_task_id, backup_destination_id } = request;
  if (backup_task_id !== undefined && backup_destination_id !== undefined) {
    throw new InvalidError({
      backup_destination_id: ["The backup destination id field can't be combined with backup task id."],
    });
  }
  if (backup_task_id !== undefined) return { scope: "task", id: backup_task_id };
  if (backup_destination_id !== undefined) return { scope: "destination", id: backup_destination_id };
  return { scope: "workspace", id: workspaceId };
}
