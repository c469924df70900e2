/**
 * Stores the warnings of a run separately from its output. The warnings are kept as long as the run. They are
 * kept even if their lines were cut out of the output.
 */
import type { Sql } from "../database/sql.ts";

/** Maximum number of characters in a run's stored warnings. Further warnings are only counted. */
const MAX_WARNINGS = 4 * 1024 * 1024;

/** The warnings that one event reported. */
export interface ReportedWarnings {
  run_id: number;
  sequence: number;
  warnings: readonly string[];
}

/** Stores warnings. An event that is sent again has no effect. */
export async function insertWarnings(sql: Sql, reported: readonly ReportedWarnings[]): Promise<void> {
  for (const { run_id, sequence, warnings } of reported) {
    const size = warnings.reduce((sum, warning) => sum + warning.length, 0);
    await sql`
      insert into run_warnings (run_id, sequence, warnings, size)
      select ${run_id}, ${sequence}, ${[...warnings]}::text[], ${size}
      where (select coalesce(sum(size), 0) from run_warnings where run_id = ${run_id}) + ${size} <= ${MAX_WARNINGS}
      on conflict do nothing`;
  }
}

/** Returns the stored warnings of a run, the oldest first. */
export async function readWarnings(sql: Sql, runId: number): Promise<string[]> {
  const rows = await sql<{ warnings: string[] }[]>`
    select warnings from run_warnings where run_id = ${runId} order by sequence`;
  return rows.flatMap(({ warnings }) => warnings);
}
