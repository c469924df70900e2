/** A restore by the engine alone, of what a `BackupRun` stored. */
import { LocalDestination } from "../../agent/engine/destinations/local.ts";
import { runRestore } from "../../agent/engine/restore.ts";
import type { Restored, StoredBackup } from "../../src/protocol/job.ts";
import type { BackupRun } from "./backup_run.ts";
import { restoreJob, type RestoreOptions } from "./restore_job.ts";

/** The run's work directory is emptied first, as an agent gives each run its own. */
export async function restore(
  run: BackupRun,
  backup: StoredBackup,
  options: RestoreOptions = {},
): Promise<Restored> {
  await Deno.remove(run.ports.workDirectory, { recursive: true });
  await Deno.mkdir(run.ports.workDirectory, { mode: 0o700 });
  const local = new LocalDestination({ type: "local", directory: run.directory }, run.ports.signal);
  return await runRestore(
    restoreJob(run.directory, backup, options),
    options.destination ?? local,
    run.ports,
  );
}
