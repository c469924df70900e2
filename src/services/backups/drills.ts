/** Restore drills: proof, before it is needed, that a task's newest backup comes back. */
import {
  type AskedDatabaseServer,
  askedServer,
  DATABASE_SERVER_FIELDS,
} from "../../domain/database/database_server.ts";
import { DRILLED_ENGINES, drilledServer } from "../../domain/drill.ts";
import { ConflictError } from "../../domain/errors.ts";
import { transaction } from "../../store/database/database.ts";
import { lockDueDrill, noteDrillQueued, serversWithDueDrills } from "../../store/tasks/due_drills.ts";
import { lockReadable } from "./backup_access.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { refuseFields } from "./restores.ts";
import { queueCheck, startCheck } from "./verifications.ts";

/**
 * Queues a drill that was asked for. @param asked The server that the backup is restored on; default: the one
 * that made it.
 * @param databases Where its scratch databases go; default: on the task's database server. Throws an {@link
 * InvalidError} where they have no place there, a {@link ConflictError} where the backup is being deleted, is
 * being restored in a drill, can't be opened or can't be reached there.
 */
export async function startDrill(
  services: ServiceContext,
  caller: Caller,
  backupId: number,
  asked: number | undefined,
  databases: AskedDatabaseServer = {},
): Promise<{ runId: number }> {
  return await transaction(services.database, async (sql) => {
    const backup = await lockReadable(sql, caller, backupId);
    if (backup.encryption === "recipients") {
      throw new ConflictError(
        "The backup is encrypted to recipients, which the control plane can't undo: no drill can be made of it. " +
          "Restore it with the identity of one of them.",
      );
    }
    if (!DRILLED_ENGINES.includes(backup.engine)) {
      throw new ConflictError(
        "The backup holds the control plane's own state, which no drill restores. " +
          "Verify it, or try `deno task admin recover` on another machine.",
      );
    }
    if (drilledServer(backup.engine) === null) refuseFields(databases, [...DATABASE_SERVER_FIELDS], "files");
    const server = askedServer(databases);
    return { runId: await startCheck(services, sql, caller, "drill", backup, asked, server) };
  });
}

/**
 * Queues, on each server without a check at work, the drill of the task that waits for one the longest.
 * Returns how many.
 */
export async function queueDueDrills(services: ServiceContext): Promise<number> {
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
