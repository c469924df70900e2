/**
 * Defines the rows that an export of the control plane contains. Rows that would do harm in the imported
 * database are left out.
 */

/** A table whose rows are exported. Columns missing from `columns` are exported unchanged. */
export interface ExportRule {
  /** A condition on the rows; null: all rows. */
  readonly where: string | null;
  /** Maps a column to the SQL of its replacement. */
  readonly columns: Readonly<Record<string, string>>;
}

const WHOLE: ExportRule = { where: null, columns: {} };

/**
 * Tables whose rows are not exported:
 * - connections, requests, single-use tokens and stored responses belong to the old control plane;
 * - from `uploads` and `leftovers`, a new control plane would delete objects as remains of dead runs,
 *   although those runs may have succeeded since: even the backup that contains this export;
 * - `notification_deliveries` would send messages again, or late, about events long past;
 * - `trash_news`, for the same reason;
 * - `alerts`: a condition that still holds is detected again;
 * - `run_counts` are derived from the runs;
 * - `run_output` can be gigabytes, and a restore does not need it.
 */
const LEFT_OUT = new Set([
  "replicas",
  "enrolment_tokens",
  "idempotency_keys",
  "agent_requests",
  "skipped_schedules",
  "uploads",
  "leftovers",
  "notification_deliveries",
  "alerts",
  "run_counts",
  "run_output",
  "trash_news",
]);

const RULES: Readonly<Record<string, ExportRule>> = {
  remote_servers: { where: null, columns: { connection_id: "null", connected_at: "null" } },
  key_rotations: { where: "finished_at is not null", columns: {} },
  // A control plane tells agents to forget unfinished runs that they still hold.
  runs: { where: "finished_at is not null", columns: { output_size: "0", output_cut: "0" } },
};

/** A column that refers to the `id` of another table's rows. */
export interface Reference {
  readonly table: string;
  readonly column: string;
  readonly target: string;
  readonly nullable: boolean;
}

/**
 * Returns null for a table whose rows are not exported. An unlisted table is exported completely, except
 * references to rows that are not exported.
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
  return { where: conditions.length === 0 ? null : conditions.join(" and "), columns };
}
