/** A verification by the engine alone, of what a `BackupRun` stored. */
import { LocalDestination } from "../../agent/engine/destinations/local.ts";
import { runVerify } from "../../agent/engine/verify.ts";
import type { BackupToRead, StoredBackup, Verified, VerifyJob } from "../../src/protocol/job.ts";
import type { BackupRun } from "./backup_run.ts";

export function verifyJob(run: BackupRun, backup: StoredBackup, key: BackupToRead["key"]): VerifyJob {
  return {
    kind: "verify",
    task: { id: 7, label: "Nightly" },
    backup: {
      id: 31,
      created_at: "2026-01-02T03:04:05.000Z",
      objects: backup.objects,
      files_count: backup.files_count,
      source: backup.source ?? null,
      destination: { type: "local", directory: run.directory },
      key,
    },
    timeout_ms: null,
  };
}

export async function verify(
  run: BackupRun,
  backup: StoredBackup,
  options: { key?: BackupToRead["key"]; from?: Origin } = {},
): Promise<Verified> {
  const Place = options.from === "elsewhere" ? Elsewhere : LocalDestination;
  const place = new Place({ type: "local", directory: run.directory }, run.ports.signal);
  return await runVerify(verifyJob(run, backup, options.key ?? null), place, run.ports);
}

/** Whether programs may read an object by themselves, or its bytes all pass the agent, as those of a bucket do. */
export type Origin = "here" | "elsewhere";

class Elsewhere extends LocalDestination {
  override localPath(): null {
    return null;
  }
}
