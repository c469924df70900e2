/**
 * Says which rows an export of the control plane contains. Leaves out rows that would do harm in the imported
 * database.
 */

/** How the rows of a table are exported. Columns that `columns` does not mention are exported unchanged. */
export interface ExportRule {
  /** SQL condition on the exported rows; null for all rows. */
  readonly where: string | null;
  /** For each column whose values are not exported: an SQL expression whose value is exported instead. */
  readonly columns: Readonly<Record<string, string>>;
  /**
   * Whether triggers write rows of this table while other tables are loaded. Such rows are deleted before the
   * exported rows are loaded.
   */
  readonly isWrittenByTriggers?: true;
}

const WHOLE: ExportRule = { where: null, columns: {} };

/**
 * Tables whose rows are not exported:
 * - Connections, sessions, requests, single-use tokens and stored responses belong to the old control plane.
 * - `uploads` and `leftovers` name objects of runs. A new control plane would delete these objects. But a run
 *   might have succeeded after the export, and its objects are then a backup: perhaps even the one that
 *   contains this export.
 * - `notification_deliveries` and `trash_news` would make the new control plane send messages again, or send
 *   messages about old events.
 * - `alerts` and `alert_reports`: the new control plane detects a lasting problem again.
 * - `endpoint_checks`: the new control plane reads the certificates itself.
 * - `workspace_run_counts`: triggers derive it from the runs.
 * - `run_output` can be gigabytes, and a restore does not need it.
 * - `deleted_records` are records that people have deleted.
 */
const LEFT_OUT = new Set([
  "replicas",
  "enrolment_tokens",
  "idempotency_keys",
  "sessions",
  "login_challenges",
  "agent_requests",
  "skipped_schedules",
  "uploads",
  "leftovers",
  "notification_deliveries",
  "alerts",
  "alert_reports",
  "endpoint_checks",
  "workspace_run_counts",
  "run_output",
  "trash_news",
  "deleted_records",
]);

const RULES: Readonly<Record<string, ExportRule>> = {
  run_history_changes: { ...WHOLE, isWrittenByTriggers: true },
  storage_history_changes: { ...WHOLE, isWrittenByTriggers: true },
  remote_servers: { where: null, columns: { connection_id: "null", connected_at: "null" } },
  key_rotations: { where: "finished_at is not null", columns: {} },
  // Open connections are not exported, because they belong to the old control plane.
  server_connections: { where: "disconnected_at is not null", columns: {} },
  // Unfinished runs are not exported. The new control plane tells agents that still hold such runs to forget
  // them.
  runs: {
    where: "finished_at is not null",
    columns: { output_size: "0", output_cut: "0", deleted_task_id: "null" },
  },
  backups: { where: null, columns: { deleted_task_id: "null" } },
};

/** A column that refers to the `id` of a row in the table `target`. */
export interface Reference {
  readonly table: string;
  readonly column: string;
  readonly target: string;
  readonly nullable: boolean;
}

/**
 * Returns how a table is exported; null if its rows are not exported. Without a rule, a table is exported
 * completely.
 *
 * A reference to a row that is not exported becomes null. If the column does not allow null, the row with the
 * reference is not exported either.
 */
export function exportRule(table: string, references: readonly Reference[]): ExportRule | null {
  if (LEFT_OUT.has(table)) return null;
  const rule = RULES[table] ?? WHOLE;
  const conditions = rule.where === null ? [] : [rule.where];
  const columns: Record<string, string> = { ...rule.columns };
  for (const { column, target, nullable } of references.filter((each) => each.table === table)) {
    const where = LEFT_OUT.has(target) ? "false" : RULES[target]?.where ?? null;
    if (where === null) continue;
    const kept = where === "false"
      ? null
      : `from ${target} other where other.id = ${table}.${column} and other.${where}`;
    if (nullable) columns[column] = kept === null ? "null" : `(select other.id ${kept})`;
    else conditions.push(kept === null ? "false" : `exists (select ${kept})`);
  }
  return { ...rule, where: conditions.length === 0 ? null : conditions.join(" and "), columns };
}
