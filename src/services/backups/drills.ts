/** Queues restore drills. They test regularly that each task's newest backup can be restored. */
import { isRestorable } from "../../definitions/sources/definition.ts";
import { definitionOfEngine } from "../../definitions/sources/registry.ts";
import { type RequestedDatabaseServer, requestedServer } from "../../domain/database/database_server.ts";
import { ConflictError } from "../../domain/errors.ts";
import { transaction } from "../../store/database/database.ts";
import { lockDueDrill, noteDrillQueued, serversWithDueDrills } from "../../store/tasks/due_drills.ts";
import { lockReadable } from "./backup_access.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { refuseForeignFields } from "./restores.ts";
import { queueCheck, startCheck } from "./verifications.ts";

/**
 * Queues a drill that a user requested, and returns its run. Throws an {@link InvalidError} if `databases`
 * does not suit the backup. Throws a {@link ConflictError} in these cases:
 * - The backup is being deleted, or can't be decrypted.
 * - The backup already has an active drill.
 * - The server can't reach the backup.
 *
 * @param requested The server that restores the backup; default: the server that made it.
 * @param databases The database server for the scratch databases; default: the task's.
 */
export async function startDrill(
  services: ServiceContext,
  caller: Caller,
  backupId: number,
  requested: number | undefined,
  databases: RequestedDatabaseServer = {},
): Promise<{ runId: number }> {
  return await transaction(services.database, async (sql) => {
    const backup = await lockReadable(sql, caller, backupId);
    if (backup.encryption === "recipients") {
      throw new ConflictError(
        "The backup is encrypted to recipients. The control plane can't decrypt it, so a drill is impossible. " +
          "Restore it with the identity of one of them.",
      );
    }
    const definition = definitionOfEngine(backup.engine);
    const { restore } = definition;
    if (!isRestorable(restore)) throw new ConflictError(restore.drillRefusal);
    refuseForeignFields({ ...databases }, definition, restore);
    const check = { kind: "drill", requested, databases: requestedServer(databases) } as const;
    return { runId: await startCheck(services, sql, caller, backup, check) };
  });
}

/**
 * Queues at most one drill for each server that has no active check. Chooses the task whose drill has been
 * due for longest. Returns the number of queued drills.
 */
export async function queueDueDrills(services: ServiceContext): Promise<number> {
  const now = services.clock.now();
  let queued = 0;
  for (const serverId of await serversWithDueDrills(services.database, now)) {
    await transaction(services.database, async (sql) => {
      const backup = await lockDueDrill(sql, serverId, now);
      if (backup === null) return;
      await noteDrillQueued(sql, backup.backup_task_id!, now);
      await queueCheck(services, sql, backup, { kind: "drill", serverId, scheduledFor: backup.due_at });
      queued++;
    });
  }
  return queued;
}
