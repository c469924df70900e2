/**
 * Empties the trash: deletes destinations and users whose time in the trash is over. Also ends holds that
 * people have released and whose end has come.
 */
import { deleteBackupDestination } from "../../store/destinations/backup_destinations.ts";
import { purgeDeletedRecords } from "../../store/backups/deleted_records.ts";
import { transaction } from "../../store/database/database.ts";
import { notify } from "../../store/database/event_bus.ts";
import {
  destinationsToDelete,
  endReleasedHolds,
  nextTrashAt,
  usersToDelete,
} from "../../store/backups/trash.ts";
import { deleteUser } from "../../store/access/users.ts";
import type { ServiceContext } from "../context.ts";
import { notifyTrash } from "./trash.ts";

/**
 * Deletes the destinations and users whose time in the trash is over. Keeps a destination or user if other
 * records still depend on it. Ends the released holds that are due to end. Notifies administrators. Does not
 * delete backups.
 *
 * Returns when the next record is due. Returns null if there is no such record, or if it is overdue.
 */
export async function emptyTrash(services: ServiceContext): Promise<Date | null> {
  const { clock, database } = services;
  await transaction(database, async (sql) => {
    const now = clock.now();
    await endReleasedHolds(sql, now);
    await purgeDeletedRecords(sql, now);
    for (const id of await destinationsToDelete(sql, now)) await deleteBackupDestination(sql, id);
    for (const id of await usersToDelete(sql, now)) {
      await deleteUser(sql, id);
      await notify(sql, { topic: "tokens_changed", user_id: id });
    }
  });
  const times = [await notifyTrash(services), await nextTrashAt(database)].filter((time) => time !== null);
  const next = times.toSorted((a, b) => a.getTime() - b.getTime())[0] ?? null;
  // An overdue record can't be deleted yet, because records that depend on it still exist. The next periodic
  // call tries again.
  return next !== null && next > clock.now() ? next : null;
}
