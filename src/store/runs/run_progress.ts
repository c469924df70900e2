/** Applies a batch of events to the runs in the database, many runs in one statement. */
import type { RestoreCounts } from "../../domain/restore.ts";
import type { RunPhase } from "../../domain/run.ts";
import type { Sql } from "../database/sql.ts";

export interface EventProgress {
  run_id: number;
  last_sequence: number;
  /** Number of characters of output in this batch. */
  output_size: number;
  /** The phases of this batch, in order. The first one might have begun before the batch. */
  phases: readonly RunPhase[];
  stats: {
    bytes_read: number;
    bytes_written: number;
    files_count: number | null;
    bytes_per_second: number;
    eta_seconds: number | null;
    /**
     * How long the run has made no progress, in milliseconds; absent from agents that do not measure this.
     */
    stalled_ms?: number;
    waits_for?: string | null;
    phase?: RunPhase;
  } | null;
}

/** Maximum number of stored phases of a run. A run has at most five, unless its agent is restarted. */
const MAX_PHASES = 50;

/**
 * Records the progress of runs. Renews lease and deadline of running runs only, because other states have
 * their own deadlines.
 */
export async function recordProgress(
  sql: Sql,
  progress: readonly EventProgress[],
  { now, leaseExpiresAt, deadlineAt }: { now: Date; leaseExpiresAt: Date; deadlineAt: Date },
): Promise<void> {
  if (progress.length === 0) return;
  const column = <T>(pick: (row: EventProgress) => T) => progress.map(pick);
  await sql`
    update runs r set
      last_sequence = greatest(r.last_sequence, p.last_sequence),
      output_size = r.output_size + p.output_size,
      output_compacted = r.output_compacted and p.output_size = 0,
      lease_expires_at = case when r.state = 'running' then ${leaseExpiresAt}::timestamptz else r.lease_expires_at end,
      deadline_at = case when r.state = 'running' then ${deadlineAt}::timestamptz else r.deadline_at end,
      bytes_read = coalesce(p.bytes_read, r.bytes_read),
      bytes_written = coalesce(p.bytes_written, r.bytes_written),
      files_count = coalesce(p.files_count, r.files_count),
      bytes_per_second = coalesce(p.bytes_per_second, r.bytes_per_second),
      eta_seconds = case when p.bytes_read is null then r.eta_seconds else p.eta_seconds end,
      moved_at = case
        when p.bytes_read is null then r.moved_at
        when p.stalled_ms is not null then ${now}::timestamptz - p.stalled_ms * interval '1 millisecond'
        when (p.bytes_read, p.bytes_written, coalesce(p.files_count, r.files_count))
          is distinct from (r.bytes_read, r.bytes_written, r.files_count) then ${now}
        else r.moved_at end,
      waits_for = case when p.bytes_read is null then r.waits_for else p.waits_for end,
      phase = coalesce(p.phase, r.phase),
      phases = case
        when jsonb_array_length(r.phases) >= ${MAX_PHASES} then r.phases
        when p.phases->0->>'phase' = r.phase then r.phases || (p.phases - 0)
        else r.phases || p.phases end
    from unnest(
      ${column((row) => row.run_id)}::bigint[],
      ${column((row) => row.last_sequence)}::bigint[],
      ${column((row) => row.output_size)}::bigint[],
      ${column((row) => whole(row.stats?.bytes_read))}::bigint[],
      ${column((row) => whole(row.stats?.bytes_written))}::bigint[],
      ${column((row) => whole(row.stats?.files_count))}::bigint[],
      ${column((row) => row.stats?.bytes_per_second ?? null)}::double precision[],
      ${column((row) => row.stats?.eta_seconds ?? null)}::double precision[],
      ${column((row) => row.stats?.stalled_ms ?? null)}::double precision[],
      ${column((row) => row.stats?.waits_for ?? null)}::text[],
      ${column((row) => row.stats?.phase ?? null)}::text[],
      ${
    column((row) => JSON.stringify(row.phases.map((phase) => ({ phase, started_at: now }))))
  }::text[]::jsonb[]
    ) as p (run_id, last_sequence, output_size, bytes_read, bytes_written,
      files_count, bytes_per_second, eta_seconds, stalled_ms, waits_for, phase, phases)
    where r.id = p.run_id`;
}

const whole = (value: number | null | undefined) =>
  value === null || value === undefined ? null : Math.round(value);

/**
 * Replaces the progress of a succeeded run by the stats of its verdict. `size` is the number of stored bytes.
 */
export async function recordFinalStats(
  sql: Sql,
  runId: number,
  stored: { bytes_read: number; size: number; files_count: number | null },
): Promise<void> {
  await sql`
    update runs set bytes_read = ${stored.bytes_read}, bytes_written = ${stored.size},
      files_count = ${stored.files_count}, eta_seconds = 0
    where id = ${runId}`;
}

/** Records the counts of a succeeded restore. */
export async function recordRestoreCounts(sql: Sql, runId: number, counts: RestoreCounts): Promise<void> {
  await sql`update runs set restored = ${sql.json(counts as never)} where id = ${runId}`;
}
