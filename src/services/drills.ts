/** Restore drills: proof, before it is needed, that a task's newest backup comes back. */
import { transaction } from "../store/database.ts";
import { lockDueDrill, noteDrillQueued, serversWithDueDrills } from "../store/due_drills.ts";
import type { Services } from "./context.ts";
import { queueCheck } from "./verifications.ts";

/** Queues, on each server without a check at work, the drill of the task that waits for one the longest. Returns how many. */
export async function queueDueDrills(services: Services): Promise<number> {
  const now = services.clock.now();
  let queued = 0;
  for (const serverId of await serversWithDueDrills(services.database, now)) {
    await transaction(services.database, async (sql) => {
      const backup = await lockDueDrill(sql, serverId, now);
      if (backup === null) return;
      await noteDrillQueued(sql, backup.backup_task_id!, now);
      await queueCheck(services, sql, "drill", backup, serverId, backup.due_at);
      queued++;
    });
  }
  return queued;
}
