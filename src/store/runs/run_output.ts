/**
 * Stores a run's output. Each chunk is stored once, when it arrives, under its run and sequence number. The
 * middle of a long output is cut out. After the run, its chunks are merged.
 */
import type { Sql } from "../database/sql.ts";

/** Number of characters to keep at the beginning (head) and at the end (tail) of a run's output. */
const OUTPUT_HEAD = 2 * 1024 * 1024;
const OUTPUT_TAIL = 8 * 1024 * 1024;
/**
 * Number of characters by which the output must exceed head and tail together before it is trimmed. Without
 * this allowance, every further line of a long output would cause a trim.
 */
const TRIM_SLACK = 1024 * 1024;
/** Number of characters in a merged chunk. */
const MERGED_SIZE = 256 * 1024;

export interface OutputChunk {
  run_id: number;
  sequence: number;
  text: string;
}

/**
 * Inserts chunks of output. A chunk that is already stored stays unchanged, so an event that is sent again
 * has no effect.
 */
export async function insertOutput(sql: Sql, chunks: readonly OutputChunk[]): Promise<void> {
  if (chunks.length === 0) return;
  await sql`
    insert into run_output (run_id, sequence, text)
    select * from unnest(
      ${chunks.map((chunk) => chunk.run_id)}::bigint[],
      ${chunks.map((chunk) => chunk.sequence)}::bigint[],
      ${chunks.map((chunk) => chunk.text)}::text[]
    ) on conflict do nothing`;
}

export function needsTrimming(outputSize: number, outputCut: number): boolean {
  return outputSize - outputCut > OUTPUT_HEAD + OUTPUT_TAIL + TRIM_SLACK;
}

/**
 * Deletes the middle of a run's output: the chunks between the first `OUTPUT_HEAD` and the last `OUTPUT_TAIL`
 * characters. Inserts a marker line in their place. Returns how many characters of the output have been cut
 * out in total, by this trim and the earlier ones.
 */
export async function trimOutput(sql: Sql, runId: number, alreadyCut: number): Promise<number> {
  const [removed] = await sql<{ first: number | null; size: number }[]>`
    with measured as (
      select sequence, starts_with(text, ${MARKER_START}) as is_marker,
        case when starts_with(text, ${MARKER_START}) then 0 else char_length(text) end as size
      from run_output where run_id = ${runId}
    ), placed as (
      select sequence, is_marker, size,
        sum(size) over (order by sequence) as until_here, sum(size) over (order by sequence desc) as from_here
      from measured
    ), removed as (
      delete from run_output o using placed p
      where o.run_id = ${runId} and o.sequence = p.sequence
        and (p.is_marker or (p.until_here > ${OUTPUT_HEAD} and p.from_here > ${OUTPUT_TAIL}))
      returning p.sequence, p.size
    )
    select min(sequence) as first, coalesce(sum(size), 0)::bigint as size from removed`;
  if (removed === undefined || removed.first === null) return alreadyCut;
  const cut = alreadyCut + removed.size;
  await sql`
    insert into run_output (run_id, sequence, text)
    values (${runId}, ${removed.first}, ${`${MARKER_START}${cut} characters of output were left out here]\n`})
    on conflict (run_id, sequence) do update set text = excluded.text`;
  return cut;
}

const MARKER_START = "[Rearguard: ";

/** Locks and returns finished runs whose output is not merged yet, the oldest first. */
export async function runsToCompact(sql: Sql, limit: number): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from runs where finished_at is not null and not output_compacted
    order by finished_at limit ${limit} for update skip locked`;
  return rows.map((row) => row.id);
}

/**
 * Merges a run's chunks into a few large chunks. A large chunk stores two numbers for each of the chunks that
 * it was made from: the sequence number, and the position in the large chunk where that chunk's text ends.
 */
export async function compactOutput(sql: Sql, runId: number): Promise<void> {
  await sql`
    with chunks as (
      delete from run_output where run_id = ${runId} and sequences is null returning sequence, text
    ), sized as (
      select sequence, text,
        (sum(char_length(text)) over (order by sequence) - char_length(text)) / ${MERGED_SIZE}::bigint as part
      from chunks
    ), placed as (
      select part, sequence, text, sum(char_length(text)) over (partition by part order by sequence) as ends
      from sized
    )
    insert into run_output (run_id, sequence, text, sequences, ends)
    select ${runId}, min(sequence), string_agg(text, '' order by sequence),
      array_agg(sequence order by sequence), array_agg(ends::int order by sequence)
    from placed group by part`;
  await sql`update runs set output_compacted = true where id = ${runId}`;
}
