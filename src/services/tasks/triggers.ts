/** Manages the tokens with which other systems start runs of a task. Such a token permits nothing else. */
import { timingSafeEqual } from "node:crypto";
import { type Credential, USE_RECORD_INTERVAL } from "../../domain/access/credential.ts";
import { NotFoundError, UnauthenticatedError } from "../../domain/errors.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { findBackupTask, lockBackupTask } from "../../store/tasks/backup_tasks.ts";
import { deleteTrigger, findTrigger, setTrigger, touchTrigger } from "../../store/tasks/triggers.ts";
import { hashSecret, newSecret } from "../access/secret_text.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { startRun } from "../runs/runs.ts";

/**
 * The hash with which the received token is compared if the task has no token. With this comparison, the
 * response takes the same time as for a task with a token.
 */
const NO_HASH = hashSecret("");

/** Creates a token for a task and returns it. An earlier token of the task becomes invalid. */
export async function rotateTriggerToken(
  services: ServiceContext,
  caller: Caller,
  taskId: number,
): Promise<string> {
  const token = newSecret("rgt_");
  await transaction(services.database, async (sql) => {
    await lockTask(sql, caller, taskId);
    await setTrigger(sql, taskId, hashSecret(token), services.clock.now());
  });
  return token;
}

/** Deletes the token of a task. Throws a {@link NotFoundError} if the task has none. */
export async function removeTriggerToken(
  services: ServiceContext,
  caller: Caller,
  taskId: number,
): Promise<void> {
  await transaction(services.database, async (sql) => {
    await lockTask(sql, caller, taskId);
    if (!await deleteTrigger(sql, taskId)) throw new NotFoundError("Trigger token");
  });
}

/**
 * Checks the token of a task. Throws the same {@link UnauthenticatedError} for an unknown task, for a task
 * without a token, and for a wrong token.
 */
export async function authenticateTrigger(
  services: ServiceContext,
  taskId: number,
  token: string,
): Promise<{ credential: Credential; workspaceId: number }> {
  const trigger = await findTrigger(services.database, taskId);
  const isSame = timingSafeEqual(
    new TextEncoder().encode(hashSecret(token)),
    new TextEncoder().encode(trigger?.token_hash ?? NO_HASH),
  );
  if (trigger === undefined || !isSame) throw new UnauthenticatedError();
  const now = services.clock.now();
  const stale = new Date(now.getTime() - USE_RECORD_INTERVAL);
  if (trigger.last_used_at === null || trigger.last_used_at <= stale) {
    await touchTrigger(services.database, taskId, trigger.token_hash, now, stale);
  }
  return { credential: { kind: "trigger", id: taskId }, workspaceId: trigger.workspace_id };
}

/** Starts a run for a caller whose token was already checked. Throws the errors of `startRun`. */
export async function startTriggeredRun(
  services: ServiceContext,
  taskId: number,
  options: { queue: boolean },
): Promise<{ runId: number }> {
  const task = await findBackupTask(services.database, taskId);
  if (task === undefined) throw new UnauthenticatedError();
  return await startRun(services, { workspaceId: task.workspace_id }, taskId, {
    ...options,
    trigger: "webhook",
  });
}

async function lockTask(sql: Sql, caller: Caller, taskId: number): Promise<void> {
  if (await lockBackupTask(sql, caller.workspaceId, taskId) === undefined) {
    throw new NotFoundError("Backup task");
  }
}
