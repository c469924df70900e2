/** Exports the control plane's own state to the agent of the run that backs it up. */
import { ForbiddenError, UnauthenticatedError } from "../../domain/errors.ts";
import { recordActor } from "../../store/access/audited_request.ts";
import { transaction } from "../../store/database/database.ts";
import { exportText, mayExport } from "../../store/export/export.ts";
import { readMigrations } from "../../store/database/migrate.ts";
import type { ServiceContext } from "../context.ts";
import { authenticateAgent } from "../servers/enrolment.ts";
import { authorizeRun } from "../runs/run_authorization.ts";

const MIGRATIONS = new URL("../../../migrations", import.meta.url);

/**
 * Returns a consistent snapshot of the control plane's database as pieces of SQL text. Callers must read it
 * to the end or call `return`. Secrets in the text are encrypted, and tokens are hashed.
 *
 * Throws:
 * - an {@link UnauthenticatedError} for an unknown agent key;
 * - a `NotFoundError` if the run belongs to another agent;
 * - a `ConflictError` if the run has ended;
 * - a {@link ForbiddenError} if the run does not back up the control plane, or if someone who is not an
 *   administrator could read the backup.
 */
export async function openExport(
  services: ServiceContext,
  agentKey: string,
  run: { run_id: number; attempt: number },
): Promise<AsyncGenerator<string>> {
  const server = await authenticateAgent(services, agentKey);
  if (server === null) throw new UnauthenticatedError();
  recordActor({ type: "agent", remoteServerId: server.id }, "backup-task-logs", run.run_id);
  await transaction(services.database, async (sql) => {
    await authorizeRun(sql, server.id, run, "export the control plane");
    if (await mayExport(sql, run.run_id)) return;
    throw new ForbiddenError(
      "Cannot export the control plane: the user of the task, and every manager and restorer of its workspace, must be an administrator.",
    );
  });
  return exportText(services.database, await readMigrations(MIGRATIONS), services.clock.now());
}
