/** Reads the stored output of a run. */
import type { Sql } from "../database/sql.ts";

/**
 * A chunk of output as stored: the text of one event, or the merged texts of several events. In a merged
 * chunk, the text of event `sequences[i]` ends at character `ends[i]`.
 */
export interface OutputRow {
  sequence: number;
  text: string;
  sequences: number[] | null;
  ends: number[] | null;
}

/** Limits of one read. A read returns at least one chunk, even if this chunk exceeds `bytes`. */
interface ReadLimit {
  readonly rows: number;
  readonly bytes: number;
}

export async function readAllOutput(sql: Sql, runId: number): Promise<string> {
  const rows = await sql<{ text: string }[]>`
    select text from run_output where run_id = ${runId} order by sequence`;
  return rows.map((row) => row.text).join("");
}

/**
 * Returns the first chunks that can contain events after the sequence number `after`, in order. Returns at
 * most `limit.rows` chunks. Returns no further chunk once the chunks together have `limit.bytes` bytes.
 */
export async function readOutputAfter(
  sql: Sql,
  runId: number,
  after: number,
  limit: ReadLimit,
): Promise<OutputRow[]> {
  return await sql<OutputRow[]>`
    select sequence, text, sequences, ends from (
      select *, sum(octet_length(text)) over (order by sequence) - octet_length(text) as bytes_before
      from (
        select sequence, text, sequences, ends from run_output
        where run_id = ${runId} and (sequence > ${after} or sequences[cardinality(sequences)] > ${after})
        order by sequence limit ${limit.rows}
      ) chunks
    ) measured
    where bytes_before < ${limit.bytes} order by sequence`;
}

/**
 * Returns the chunks that can contain events before the sequence number `before`, the newest first. Returns
 * only as many chunks as both limits in `limit` allow, and at least one.
 */
export async function readOutputBefore(
  sql: Sql,
  runId: number,
  before: number,
  limit: ReadLimit,
): Promise<OutputRow[]> {
  return await sql<OutputRow[]>`
    select sequence, text, sequences, ends from (
      select *, sum(octet_length(text)) over (order by sequence desc) - octet_length(text) as bytes_before
      from (
        select sequence, text, sequences, ends from run_output
        where run_id = ${runId} and sequence < ${Math.min(before, Number.MAX_SAFE_INTEGER)}
        order by sequence desc limit ${limit.rows}
      ) chunks
    ) measured
    where bytes_before < ${limit.bytes} order by sequence desc`;
}
