/** Builds a restore job for the backup that a `BackupRun` stored. */
import type { Destination } from "../../agent/engine/ports.ts";
import type {
  BackupToRead,
  DatabaseTarget,
  FilesTarget,
  RestoreJob,
  RestoreTarget,
  StoredBackup,
} from "../../src/protocol/job.ts";

export interface RestoreOptions {
  target?: Partial<FilesTarget> | DatabaseTarget;
  key?: BackupToRead["key"];
  destination?: Destination;
}

export function restoreJob(
  directory: string,
  backup: StoredBackup,
  options: RestoreOptions = {},
): RestoreJob {
  return {
    kind: "restore",
    task: { id: 7, label: "Nightly" },
    backup: {
      id: 31,
      created_at: "2026-01-02T03:04:05.000Z",
      objects: backup.objects,
      files_count: backup.files_count,
      source: backup.source ?? null,
      destination: { type: "local", directory },
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
