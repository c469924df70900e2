/** Whether a run may still do what its agent asks for. */
import { ConflictError, NotFoundError, UnavailableError } from "../../domain/errors.ts";
import type { Sql } from "../../store/database/sql.ts";
import { lockUploadRun, type UploadRun } from "../../store/backups/uploads.ts";

/**
 * A lost run counts: its agent may come back and succeed after all. So does a leased one: what an agent asks
 * is answered at once, and may overtake its acceptance, which is stored with other events.
 *
 * @param what For messages: `upload`.
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
    throw new ConflictError(`Cannot ${what} for run ${run_id}: it was handed out again since`);
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
