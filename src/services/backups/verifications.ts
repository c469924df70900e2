/**
 * Queues verifications: of one backup on request, and of all backups in turn. A verification reads a backup
 * back.
 */
import { ownerColumns, ownerOf } from "../../domain/access/owner.ts";
import type { DatabaseServer } from "../../domain/database/database_server.ts";
import { restoreOfEngine } from "../../definitions/sources/registry.ts";
import { ConflictError } from "../../domain/errors.ts";
import type { DrillOptions } from "../../domain/restore.ts";
import { shownState } from "../../domain/run.ts";
import {
  findActiveCheck,
  lockDueVerification,
  markVerificationQueued,
  serversWithDueVerifications,
} from "../../store/backups/backup_checks.ts";
import type { BackupRow } from "../../store/backups/backups.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { insertRun } from "../../store/runs/runs.ts";
import { lockReadable } from "./backup_access.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { announceQueued } from "../runs/queued_runs.ts";
import { databaseServer } from "../jobs/restore_jobs.ts";
import { refuseUnreachable, selectServer } from "./restores.ts";
import { startDeadline } from "../runs/run_state.ts";

/**
 * Queues a verification that a user requested, and returns its run. Throws a {@link ConflictError} if the
 * backup is being deleted or has an active verification. Also throws the error of {@link refuseUnreachable}.
 *
 * @param requested The server that reads the backup; default: the server that made it.
 */
export async function startVerification(
  services: ServiceContext,
  caller: Caller,
  backupId: number,
  requested: number | undefined,
): Promise<{ runId: number }> {
  return await transaction(services.database, async (sql) => {
    const backup = await lockReadable(sql, caller, backupId);
    return { runId: await startCheck(services, sql, caller, backup, { kind: "verify", requested }) };
  });
}

/** A verification or drill that a user requested. */
export interface RequestedCheck {
  readonly kind: "verify" | "drill";
  /** The server that reads the backup; default: the server that made it. */
  readonly requested: number | undefined;
  /** The database server for a drill's scratch databases; default: the task's. */
  readonly databases?: DatabaseServer | null;
}

const CHECKS = { verify: "verification", drill: "restore drill" };

/**
 * Queues a check of the backup, and returns the run's id. The caller's transaction must have locked the
 * backup's row. Throws a {@link ConflictError} while a check of the same kind is active. Also throws the
 * error of {@link refuseUnreachable}. For a drill of databases, also throws the error of {@link
 * databaseServer}.
 */
export async function startCheck(
  services: ServiceContext,
  sql: Sql,
  caller: Caller,
  backup: BackupRow,
  { kind, requested, databases = null }: RequestedCheck,
): Promise<number> {
  const active = await findActiveCheck(sql, backup.id, kind);
  if (active !== undefined) {
    throw new ConflictError(
      `A ${CHECKS[kind]} of the backup is ${shownState(active.state)} already. Follow its log, ` +
        `/api/backup-task-logs/${active.id}, or cancel it.`,
    );
  }
  const serverId = await selectServer(sql, caller, backup, requested);
  if (kind === "drill" && restoreOfEngine(backup.engine)?.usesServer) {
    await databaseServer(sql, backup, serverId, databases);
  }
  await refuseUnreachable(services, sql, backup, serverId);
  return await queueCheck(services, sql, backup, { kind, serverId, scheduledFor: null, databases });
}

/**
 * Queues at most one verification for each server that has no active verification. For each server, chooses
 * the backup that has waited longest. Returns the number of queued verifications. A server's next
 * verification becomes due when its active one has ended.
 */
export async function queueDueVerifications(services: ServiceContext): Promise<number> {
  const now = services.clock.now();
  let queued = 0;
  for (const serverId of await serversWithDueVerifications(services.database, now)) {
    await transaction(services.database, async (sql) => {
      const backup = await lockDueVerification(sql, serverId, now);
      if (backup === null) return;
      await markVerificationQueued(sql, backup.id, now);
      await queueCheck(services, sql, backup, { kind: "verify", serverId, scheduledFor: backup.due_at });
      queued++;
    });
  }
  return queued;
}

export interface QueuedCheck {
  readonly kind: "verify" | "drill";
  readonly serverId: number;
  /** When the check was due; null if a user requested it. */
  readonly scheduledFor: Date | null;
  /** The database server for a drill's scratch databases. If null or missing, the task's server is used. */
  readonly databases?: DatabaseServer | null;
}

export async function queueCheck(
  services: ServiceContext,
  sql: Sql,
  backup: BackupRow,
  { kind, serverId, scheduledFor, databases = null }: QueuedCheck,
): Promise<number> {
  const now = services.clock.now();
  const run = await insertRun(sql, {
    ...ownerColumns(ownerOf(backup)),
    kind,
    backup_task_id: backup.backup_task_id,
    remote_server_id: serverId,
    backup_destination_id: backup.backup_destination_id,
    backup_id: backup.id,
    options: databases === null ? null : { server: databases } satisfies DrillOptions,
    trigger: scheduledFor === null ? "manual" : "schedule",
    scheduled_for: scheduledFor,
    deadline_at: startDeadline(services, { created_at: now }),
    created_at: now,
  });
  await announceQueued(sql, [run]);
  return run.id;
}
