/** Defines a run's record in the API. It has more fields than in the original API contract. */
import { z } from "@hono/zod-openapi";
import {
  hasEnded,
  outcomeOfRun,
  OUTCOMES,
  RUN_KINDS,
  RUN_PHASES,
  RUN_TRIGGERS,
  shownState,
} from "../../../domain/run.ts";
import { evidenceOf } from "../../../services/runs/evidence.ts";
import type { LogDetailRow, LogRow } from "../../../services/runs/logs.ts";
import type { Resource } from "../../resource.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";
import { EvidenceView, presentEvidence } from "./evidence_view.ts";
import { NamedRecord } from "../named_record.ts";
import { RestoreAmounts } from "../restore_amounts.ts";

const Progress = z.object({
  bytes_read: z.int(),
  bytes_written: z.int(),
  files_count: z.int().nullable(),
  bytes_per_second: z.number().nullable(),
  eta_seconds: z.number().nullable(),
  phase: z.enum(RUN_PHASES).nullable().openapi({
    description: "What a run with scripts is doing: a type of script, or `backup`. Null when it is over.",
  }),
}).openapi("BackupTaskLogProgress");

const Restored = z.object({
  requested: RestoreAmounts,
  written: RestoreAmounts,
  skipped_count: z.int().openapi({
    description: "Files and directories that could not be written; the output names them.",
  }),
  targets: z.array(z.string()).openapi({
    description: "The first 100 of the paths, or of the names of databases, that were written.",
  }),
  targets_count: z.int(),
}).openapi("BackupTaskLogRestored");

const BackupTaskLog = z.object({
  id: z.int(),
  backup_task_id: z.int().nullable().openapi({ description: "Null once the task is deleted." }),
  output: z.string(),
  finished_at: Time.nullable(),
  status: z.enum(["queued", "running", "successful", "failed", "cancelled"]),
  created_at: Time,
  kind: z.enum(RUN_KINDS),
  trigger: z.enum(RUN_TRIGGERS).openapi({
    description: "`webhook`: a request with the token of the task's trigger started it.",
  }),
  scheduled_for: Time.nullable().openapi({
    description: "The due time that made it; null without one.",
  }),
  started_at: Time.nullable(),
  reason: z.string().nullable().openapi({ description: "Why it failed or was cancelled, in one line." }),
  outcome: z.enum(OUTCOMES).nullable().openapi({
    description: "Null until it ends, and if a person cancelled it. After a timeout it is `failed`.",
  }),
  warnings_count: z.int(),
  remote_server_id: z.int().nullable(),
  backup_destination_id: z.int().nullable(),
  backup_id: z.int().nullable().openapi({ description: "The backup that a restore reads; else null." }),
  stored_backup_id: z.int().nullable().openapi({ description: "The backup that the run stored; else null." }),
  evidence: EvidenceView.nullable().openapi({
    description: "What a successful verification or drill has proven; null of other runs.",
  }),
  backup_task: NamedRecord.nullable(),
  remote_server: NamedRecord.nullable(),
  backup_destination: NamedRecord.nullable(),
  phases: z.array(z.object({ phase: z.enum(RUN_PHASES), started_at: Time })).openapi({
    description: "The phases of a run with scripts, in order; empty without scripts.",
  }),
  progress: Progress,
  restored: Restored.nullable().openapi({
    description:
      "Of a successful restore: what was asked for, and what was written. Null for all other runs, and from " +
      "agents before protocol 7.",
  }),
  output_size: z.int().openapi({ description: "Characters of output in all, whether or not they are here." }),
}).openapi("BackupTaskLog");
type BackupTaskLog = z.output<typeof BackupTaskLog>;

/** Returns the fields of a run's record that change during the run. Events of the stream contain them too. */
export function presentState(row: LogRow) {
  const isOver = hasEnded(row.state);
  return {
    status: shownState(row.state),
    reason: row.reason,
    outcome: outcomeOfRun(row),
    warnings_count: row.warnings_count,
    started_at: isoTimeOrNull(row.started_at),
    finished_at: isoTimeOrNull(row.finished_at),
    progress: {
      bytes_read: row.bytes_read,
      bytes_written: row.bytes_written,
      files_count: row.files_count,
      bytes_per_second: isOver ? null : row.bytes_per_second,
      eta_seconds: isOver ? null : row.eta_seconds,
      phase: isOver ? null : row.phase,
    },
    restored: row.restored === null ? null : { ...row.restored, targets: [...row.restored.targets] },
  };
}

function present(row: LogDetailRow): BackupTaskLog {
  const evidence = row.verdict === null ? null : evidenceOf(row.verdict);
  return {
    id: row.id,
    backup_task_id: row.backup_task_id,
    output: row.output,
    created_at: isoTime(row.created_at),
    kind: row.kind,
    trigger: row.trigger,
    scheduled_for: isoTimeOrNull(row.scheduled_for),
    remote_server_id: row.remote_server_id,
    backup_destination_id: row.backup_destination_id,
    backup_id: row.backup_id,
    stored_backup_id: row.stored_backup_id,
    evidence: evidence && presentEvidence(evidence),
    backup_task: related(row.backup_task_id, row.task_label),
    remote_server: related(row.remote_server_id, row.server_label),
    backup_destination: related(row.backup_destination_id, row.destination_label),
    output_size: row.output_size,
    phases: row.phases.map(({ phase, started_at }) => ({
      phase,
      started_at: isoTime(new Date(started_at)),
    })),
    ...presentState(row),
  };
}

function related(id: number | null, label: string | null): z.output<typeof NamedRecord> | null {
  return id === null || label === null ? null : { id, label };
}

export const backupTaskLog: Resource<LogDetailRow, BackupTaskLog> = {
  name: "Backup task log",
  plural: "Backup task logs",
  path: "/api/backup-task-logs",
  schema: BackupTaskLog,
  example: present({
    id: 1,
    user_id: 1,
    workspace_id: 1,
    kind: "backup",
    backup_task_id: 1,
    remote_server_id: 2,
    backup_destination_id: 1,
    backup_id: null,
    trigger: "schedule",
    scheduled_for: new Date("2024-08-07T01:00:00Z"),
    state: "succeeded",
    reason: null,
    warnings_count: 0,
    bytes_read: 104857600,
    bytes_written: 31457280,
    files_count: 1200,
    bytes_per_second: null,
    eta_seconds: null,
    phase: null,
    phases: [],
    restored: null,
    timeout_at: null,
    output_size: 29,
    output_cut: 0,
    stored_backup_id: 1,
    verdict: null,
    task_label: "Nightly backup",
    server_label: "web-1",
    destination_label: "Offsite",
    output: "Backup completed successfully",
    created_at: new Date("2024-08-07T01:00:00Z"),
    started_at: new Date("2024-08-07T01:00:00Z"),
    finished_at: new Date("2024-08-07T02:00:00Z"),
  }),
  present,
};
