/** A restore by the engine alone, of what a `BackupRun` stored. */
import { LocalDestination } from "../../agent/engine/destinations/local.ts";
import type { Destination } from "../../agent/engine/ports.ts";
import { runRestore } from "../../agent/engine/restore.ts";
import type {
  BackupToRead,
  DatabaseTarget,
  FilesTarget,
  Restored,
  RestoreJob,
  RestoreTarget,
  StoredBackup,
} from "../../src/protocol/job.ts";
import type { BackupRun } from "./backup_run.ts";

export interface RestoreOptions {
  target?: Partial<FilesTarget> | DatabaseTarget;
  key?: BackupToRead["key"];
  destination?: Destination;
}

export function restoreJob(run: BackupRun, backup: StoredBackup, options: RestoreOptions = {}): RestoreJob {
  return {
    kind: "restore",
    task: { id: 7, label: "Nightly" },
    backup: {
      id: 31,
      created_at: "2026-01-02T03:04:05.000Z",
      objects: backup.objects,
      files_count: backup.files_count,
      source: backup.source ?? null,
      destination: { type: "local", directory: run.directory },
      key: options.key ?? null,
    },
    target: targetOf(options),
    timeout_ms: null,
  };
}

function targetOf({ target = {} }: RestoreOptions): RestoreTarget {
  if (target.type === "database") return target;
  return { type: "files", path: null, paths: [], overwrite: false, ...target };
}

/** The run's work directory is emptied first, as an agent gives each run its own. */
export async function restore(
  run: BackupRun,
  backup: StoredBackup,
  options: RestoreOptions = {},
): Promise<Restored> {
  await Deno.remove(run.ports.workDirectory, { recursive: true });
  await Deno.mkdir(run.ports.workDirectory, { mode: 0o700 });
  const local = new LocalDestination({ type: "local", directory: run.directory }, run.ports.signal);
  return await runRestore(restoreJob(run, backup, options), options.destination ?? local, run.ports);
}
