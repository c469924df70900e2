/** Decides whether a run's agent may do what it requests. */
import { ConflictError, NotFoundError, UnavailableError } from "../../domain/errors.ts";
import type { Sql } from "../../store/database/sql.ts";
import { lockUploadRun, type UploadRun } from "../../store/backups/uploads.ts";

/**
 * Locks and returns the run for which an agent sent a request. Throws a `NotFoundError` if the run belongs to
 * another server than the agent. Throws a `ConflictError` if the run has ended or was dispatched again.
 *
 * A lost run is allowed, because its agent might come back and succeed. A leased run is allowed too: the
 * agent might have accepted the run already. The acceptance is an event and is stored later in a batch, but
 * the request is handled at once.
 *
 * @param what The action in error messages, such as `upload`.
 */
export async function authorizeRun(
  sql: Sql,
  remoteServerId: number,
  { run_id, attempt }: { run_id: number; attempt: number },
  what: string,
): Promise<UploadRun> {
  const run = await lockUploadRun(sql, run_id);
  if (run === null || run.remote_server_id !== remoteServerId) throw new NotFoundError("Run");
  if (run.attempt !== attempt) {
    throw new ConflictError(`Cannot ${what} for run ${run_id}: it was dispatched again since`);
  }
  if (run.state === "queued") {
    throw new UnavailableError(
      `Cannot ${what} for run ${run_id} yet: its acceptance came late, and is not stored yet`,
    );
  }
  if (!["leased", "running", "cancelling", "lost"].includes(run.state)) {
    throw new ConflictError(`Cannot ${what} for run ${run_id}: it is ${run.state}`);
  }
  return run;
}
