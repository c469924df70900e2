/**
 * Applies the verdicts of agents: records the stored backup, or the reason of the failure and the leftovers.
 */
import { ownerColumns, ownerOf } from "../../domain/access/owner.ts";
import type { Finding } from "../../domain/guards/finding.ts";
import { wroteNothing } from "../../domain/restore.ts";
import { objectKey } from "../../domain/location.ts";
import type { StoredBackup } from "../../protocol/job.ts";
import type { Verdict } from "../../protocol/wire_messages.ts";
import { isStorageType } from "../../storage/registry.ts";
import {
  type DamageFinder,
  markDamaged,
  markProven,
  markVerified,
} from "../../store/backups/backup_checks.ts";
import { insertBackup } from "../../store/backups/backup_records.ts";
import type { Sql } from "../../store/database/sql.ts";
import {
  hasRemovedUploads,
  insertNamedLeftovers,
  insertUploadLeftovers,
} from "../../store/backups/leftovers.ts";
import { notify } from "../../store/database/event_bus.ts";
import { recordFinalStats, recordRestoreCounts } from "../../store/runs/run_progress.ts";
import { isVerdictApplied, recordVerdict, type RunRow } from "../../store/runs/runs.ts";
import { completedUploads } from "../../store/backups/uploads.ts";
import type { ServiceContext } from "../context.ts";
import { runDestination } from "../jobs/jobs.ts";
import { requestRetention } from "../retention/removals.ts";
import { refreshProtection } from "../tasks/protection.ts";
import { reportStoredBackup } from "./run_followers.ts";
import { recordSpace } from "../destinations/space_watch.ts";
import { notifyBackupStored, notifyCheck } from "./run_notifications.ts";
import { applyToRun } from "./run_state.ts";
import { judgeVerdict, storedBackupOf } from "./verdict_findings.ts";

/**
 * Applies the agent's verdict on the current attempt to `run`. The transaction has locked the run's row.
 * Returns the run after the change.
 */
export async function applyVerdict(
  services: ServiceContext,
  sql: Sql,
  run: RunRow,
  reported: Verdict,
): Promise<RunRow> {
  const validated = validateKind(run, reported);
  if (storedBackupOf(validated) !== null && await isTooLate(sql, run)) {
    await keepLateVerdict(services, sql, run, run.attempt, validated);
    return run;
  }
  const { verdict, findings } = await judgeVerdict(sql, run, await validateObjects(sql, run, validated));
  const change = {
    warnings_count: verdict.warnings_count,
    started_at: run.started_at ?? services.clock.now(),
    reason: verdict.outcome === "succeeded" ? null : verdict.reason,
  };
  const finished = { type: "finished", outcome: verdict.outcome, damage: damageOf(run, verdict) } as const;
  const move = await applyToRun(services, sql, run, finished, change);
  const attempt = { runId: run.id, attempt: run.attempt };
  await recordVerdict(sql, attempt, { verdict, applied: move.moved, at: services.clock.now() });
  if (!move.moved) return run;
  const reportedBackup = storedBackupOf(verdict);
  if (reportedBackup !== null) {
    const backup = { ...reportedBackup, findings };
    const backupId = await storeBackup(services, sql, run, backup, verdict.warnings_count);
    if (run.backup_task_id !== null) await refreshProtection(sql, run.backup_task_id);
    const stored = { wasLost: run.state === "lost", backupId };
    if (verdict.outcome === "succeeded") await reportStoredBackup(services, sql, move.run, stored);
    await notifyBackupStored(services, sql, move.run, {
      ...stored,
      findings,
      missing: reportedBackup.missing ?? [],
    });
    if (reportedBackup.space !== undefined && run.backup_destination_id !== null) {
      const place = { destinationId: run.backup_destination_id, serverId: run.remote_server_id };
      await recordSpace(services, sql, place, reportedBackup.space);
    }
  }
  if (verdict.outcome === "succeeded" && "restored" in verdict) {
    const { report, ...stats } = verdict.restored;
    await recordFinalStats(sql, run.id, { ...stats, size: report?.written.bytes ?? 0 });
    if (report !== undefined) await recordRestoreCounts(sql, run.id, report);
  }
  await recordCheckResult(services, sql, run, verdict);
  await recordLeftovers(services, sql, run, run.attempt, verdict);
  return move.run;
}

/**
 * Returns whether a stored backup is reported too late to count. While the run was lost, the backup's objects
 * might have been removed, or the destination might have been deleted. In both cases, the report is too late.
 */
async function isTooLate(sql: Sql, run: RunRow): Promise<boolean> {
  if (run.kind !== "backup") return false;
  return hasNoDestination(run) || await hasRemovedUploads(sql, run.id, run.attempt);
}

/** Returns whether the run's destination is deleted, so that its objects can't be reached any more. */
function hasNoDestination(run: RunRow): boolean {
  return run.backup_destination_id === null || run.object_directory === null;
}

/** The field that a successful verdict must have, by the run's kind. */
const REPORTED_FIELD: Partial<Record<RunRow["kind"], string>> = {
  backup: "backup",
  restore: "restored",
  verify: "verified",
  drill: "proven",
};

/**
 * Returns the verdict. If the verdict does not suit the run's kind, returns a failure in its place. For
 * example, a restore run cannot report a stored backup.
 */
function validateKind(run: RunRow, verdict: Verdict): Verdict {
  if (verdict.outcome !== "succeeded" && (storedBackupOf(verdict) === null || run.kind === "backup")) {
    return verdict;
  }
  if (!((REPORTED_FIELD[run.kind] ?? "") in verdict)) {
    return refusedVerdict(verdict, "The agent's report does not match the run's kind. Update the agent.");
  }
  if (
    "restored" in verdict && verdict.restored.report !== undefined && wroteNothing(verdict.restored.report)
  ) {
    return refusedVerdict(
      verdict,
      "The restore has written nothing of what it was asked for. See its output.",
    );
  }
  return verdict;
}

function refusedVerdict({ warnings_count }: Verdict, reason: string): Verdict {
  return { outcome: "failed", warnings_count, reason, leftovers: [] };
}

/**
 * Returns the verdict if it can be trusted. If the verdict names objects in a bucket, this attempt must have
 * uploaded each of them through the control plane. If it did not upload an object, returns a failure instead:
 * that object could belong to another server. It would become readable and deletable as part of this backup.
 */
async function validateObjects(sql: Sql, run: RunRow, verdict: Verdict): Promise<Verdict> {
  const backup = storedBackupOf(verdict);
  if (backup === null) return verdict;
  const destination = await runDestination(sql, run);
  if (!isStorageType(destination.type)) return verdict;
  const uploaded = await completedUploads(sql, run.id, run.attempt);
  const { objects } = backup;
  const foreign = objects.find(({ name, size }) =>
    uploaded.get(objectKey(destination.directory, name)) !== size
  );
  if (foreign === undefined) return verdict;
  return {
    outcome: "failed",
    warnings_count: verdict.warnings_count,
    reason: `The agent reports ${foreign.name}, of ${foreign.size} bytes, which it did not upload.`,
    leftovers: [],
  };
}

/**
 * Records a verdict that came too late to count, and removes the attempt's leftovers. If the verdict reports
 * a backup, that backup is normally a leftover too, because no record names its objects. But if the same
 * verdict was applied before, the backup has a record and is kept.
 */
export async function keepLateVerdict(
  services: ServiceContext,
  sql: Sql,
  run: RunRow,
  attempt: number,
  verdict: Verdict,
): Promise<void> {
  await recordVerdict(sql, { runId: run.id, attempt }, { verdict, applied: false, at: services.clock.now() });
  if (run.state === "succeeded" && run.attempt === attempt) return;
  const backup = storedBackupOf(verdict);
  // This verdict was applied before, so its backup has a record.
  if (backup !== null && await isVerdictApplied(sql, run.id, attempt)) return;
  const isStored = verdict.outcome === "succeeded" || backup !== null;
  await recordLeftovers(services, sql, run, attempt, isStored ? asLeftovers(verdict, backup) : verdict);
}

function asLeftovers({ warnings_count }: Verdict, backup: StoredBackup | null): Verdict {
  return {
    outcome: "failed",
    warnings_count,
    reason: "It came too late to be accepted.",
    leftovers: backup?.objects.map(({ name }) => name) ?? [],
  };
}

/**
 * Records the result of a verification, drill or restore. The result goes into the record of the backup that
 * the run read. If the run neither succeeded nor found damage, changes nothing.
 */
async function recordCheckResult(
  services: ServiceContext,
  sql: Sql,
  run: RunRow,
  verdict: Verdict,
): Promise<void> {
  if (run.kind === "backup" || run.backup_id === null) return;
  const now = services.clock.now();
  const since = run.started_at ?? now;
  if (verdict.outcome === "succeeded") {
    if ("verified" in verdict) await markVerified(sql, run.backup_id, since, now);
    if ("proven" in verdict) await markProven(sql, run.backup_id, verdict.proven.restore_ms, since, now);
  }
  const damage = damageOf(run, verdict);
  if (damage !== null) await markDamaged(sql, run.backup_id, finderOf(run.kind), damage, now);
  const isMade = verdict.outcome === "succeeded" || damage !== null;
  if (isMade && run.kind !== "restore") await notifyCheck(services, sql, run);
}

function finderOf(kind: RunRow["kind"]): DamageFinder {
  return kind === "drill" || kind === "restore" ? kind : "verify";
}

/** Returns the damage that a verification, drill or restore found in the backup it read; null if none. */
function damageOf(run: RunRow, verdict: Verdict): string | null {
  if (run.kind === "backup" || run.backup_id === null) return null;
  return verdict.outcome === "failed" ? verdict.damage ?? null : null;
}

/** Records the backup of a run and applies retention. Returns the backup's id. */
async function storeBackup(
  services: ServiceContext,
  sql: Sql,
  run: RunRow,
  stored: StoredBackup & { findings: Finding[] },
  warningsCount: number,
): Promise<number> {
  const now = services.clock.now();
  const destination = await runDestination(sql, run);
  const first = stored.objects.find((object) => object.role === "archive") ?? stored.objects[0]!;
  await recordFinalStats(sql, run.id, stored);
  const id = await insertBackup(sql, {
    ...ownerColumns(ownerOf(run)),
    backup_task_id: run.backup_task_id,
    run_id: run.id,
    backup_destination_id: destination.destinationId,
    remote_server_id: run.remote_server_id,
    directory: destination.directory,
    file_name: first.name,
    size: stored.size,
    sha256: first.sha256,
    engine: stored.engine,
    encrypted: stored.encrypted,
    ...encryptionOf(run, stored),
    bytes_read: stored.bytes_read,
    files_count: stored.files_count,
    warnings_count: warningsCount,
    duration_ms: stored.duration_ms,
    source: stored.source ?? null,
    incompressible_share: stored.incompressible_share ?? null,
    findings: stored.findings,
    missing: stored.missing ?? [],
    unreadable_count: stored.unreadable_count ?? 0,
    created_at: now,
  }, stored.objects);
  if (run.backup_task_id !== null) await requestRetention(services, sql, run.backup_task_id);
  return id;
}

/**
 * Returns how the backup was encrypted, as recorded at the dispatch. The task may have changed after that.
 */
function encryptionOf(run: RunRow, { encrypted }: StoredBackup) {
  const none = { encryption_password_encrypted: null, encryption_recipients: [] };
  if (!encrypted) return { encryption: "none" as const, ...none };
  const { encryption_password_encrypted, encryption_recipients } = run;
  return encryption_recipients.length > 0
    ? { encryption: "recipients" as const, ...none, encryption_recipients }
    : { encryption: "password" as const, ...none, encryption_password_encrypted };
}

async function recordLeftovers(
  services: ServiceContext,
  sql: Sql,
  run: RunRow,
  attempt: number,
  verdict: Verdict,
): Promise<void> {
  // Only backup runs store objects, so ignore what an agent reports for other runs.
  if (run.kind !== "backup") return;
  const now = services.clock.now();
  const isStored = verdict.outcome === "succeeded" || storedBackupOf(verdict) !== null;
  let count = await insertUploadLeftovers(sql, run.id, attempt, isStored, now);
  if (!isStored && verdict.leftovers.length > 0 && !hasNoDestination(run)) {
    const destination = await runDestination(sql, run);
    if (!isStorageType(destination.type)) {
      count += await insertNamedLeftovers(sql, run, destination, verdict.leftovers, now);
    }
  }
  if (count > 0) await notify(sql, { topic: "removal_due" });
}
