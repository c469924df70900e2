/** Reads runs and their output for the API. runs.ts and run_output.ts write them. */
import type { RunKind, RunPhase, RunState } from "../../domain/run.ts";
import { column, namesOf, type RowOf } from "../database/columns.ts";
import type { Sql } from "../database/sql.ts";
import { allOf, containsText, createdWithin, type ListOrder, orderBy, type Page } from "../database/page.ts";
import { pageOfRuns, runsOf } from "./run_counts.ts";
import { SHOWN_COLUMNS } from "./runs.ts";

const COLUMNS = {
  ...SHOWN_COLUMNS,
  bytes_read: column<number>(),
  bytes_written: column<number>(),
  files_count: column<number | null>(),
  bytes_per_second: column<number | null>(),
  eta_seconds: column<number | null>(),
  phase: column<RunPhase | null>(),
  /** The phases of a run with scripts, in order. */
  phases: column<{ phase: RunPhase; started_at: string }[]>(),
};

export type LogRow = RowOf<typeof COLUMNS>;

const columns = namesOf(COLUMNS);

/** A run with the records that belong to it, and with a part of its output. */
export interface LogDetailRow extends LogRow {
  task_label: string | null;
  server_label: string | null;
  destination_label: string | null;
  /** The backup that the run stored; null if there is none. */
  stored_backup_id: number | null;
  /** The agent's verdict about a verification or drill; null for other runs, and if there is none. */
  verdict: unknown;
  output: string;
}

/** How many characters from the end of a run's output a listing contains. */
const TAIL_SIZE = 4096;

/** How much of a run's output its record contains: nothing, the end, or everything. */
export const OUTPUT_PARTS = ["none", "tail", "all"] as const;
export type OutputPart = typeof OUTPUT_PARTS[number];

/**
 * Returns SQL for a part of run `r`'s output. For the end of the output, the SQL reads a limited number of
 * chunks, the newest ones. So the cost does not depend on the length of the output. If the run's chunks were
 * merged, the limit is two chunks, because merged chunks are large.
 */
function outputColumn(sql: Sql, part: OutputPart) {
  if (part === "none") return sql`'' as output`;
  if (part === "all") {
    return sql`(
      select coalesce(string_agg(text, '' order by sequence), '') from run_output where run_id = r.id
    ) as output`;
  }
  return sql`(
    select right(coalesce(string_agg(text, '' order by sequence), ''), ${TAIL_SIZE}) from (
      select sequence, right(text, ${TAIL_SIZE}) as text from run_output
      where run_id = r.id order by sequence desc limit case when r.output_compacted then 2 else 1000 end
    ) newest
  ) as output`;
}

/**
 * Returns SQL for columns about run `r`: the labels of its task, server and destination, the id of its
 * backup, and its verdict.
 */
function relatedColumns(sql: Sql) {
  return sql`
    (select label from backup_tasks where id = r.backup_task_id) as task_label,
    (select label from remote_servers where id = r.remote_server_id) as server_label,
    (select label from backup_destinations where id = r.backup_destination_id) as destination_label,
    (select id from backups where run_id = r.id) as stored_backup_id,
    (
      select verdict from run_attempts
      where run_id = r.id and attempt = r.attempt and verdict_applied and r.kind in ('verify', 'drill')
    ) as verdict`;
}

/** Filter of a listing of runs. A field that is absent does not filter. */
export interface LogFilter {
  readonly states?: readonly RunState[];
  readonly kind?: RunKind;
  readonly backup_task_id?: number;
  readonly remote_server_id?: number;
  readonly backup_destination_id?: number;
  /** The backup that a restore, verification or drill reads. */
  readonly backup_id?: number;
  readonly tag_id?: number;
  readonly since?: Date;
  readonly until?: Date;
  /** Text to find in the run's reason or in the task's label. */
  readonly search?: string;
}

const SORTS = { created_at: "created_at" };

export async function listLogs(
  sql: Sql,
  workspaceId: number,
  offset: number,
  limit: number,
  { sort, output = "tail", ...filter }: LogFilter & ListOrder & { output?: OutputPart } = {},
): Promise<Page<LogDetailRow>> {
  const isWhole = Object.values(filter).every((value) => value === undefined);
  const isById = sort === undefined || sort === "id" || sort === "-id";
  if (isWhole && isById) {
    return await pageOfAll(sql, workspaceId, { offset, limit, isDescending: sort === "-id", output });
  }
  const where = logCondition(sql, workspaceId, filter);
  const total = isWhole ? runsOf(sql, workspaceId) : sql`(select count(*) from runs where ${where})`;
  const [count] = await sql<{ total: number }[]>`select ${total} as total`;
  const listed = sql`(
    select id as listed from runs where ${where} ${orderBy(sql, sort, SORTS)} limit ${limit} offset ${offset}
  )`;
  return { rows: await detailsOf(sql, listed, orderBy(sql, sort, SORTS), output), total: count!.total };
}

/**
 * Returns a page of all runs of a workspace. Finds the page with the stored counts. This is fast, but works
 * only in ascending order. So for a descending list, first computes the position of the page in the ascending
 * list.
 */
async function pageOfAll(
  sql: Sql,
  workspaceId: number,
  { offset, limit, isDescending, output }: {
    offset: number;
    limit: number;
    isDescending: boolean;
    output: OutputPart;
  },
): Promise<Page<LogDetailRow>> {
  const [count] = await sql<{ total: number }[]>`select ${runsOf(sql, workspaceId)} as total`;
  const { total } = count!;
  const first = isDescending ? Math.max(0, total - offset - limit) : offset;
  const size = isDescending ? Math.max(0, Math.min(limit, total - offset)) : limit;
  const order = isDescending ? sql`order by id desc` : sql`order by id`;
  if (size === 0) return { rows: [], total };
  return { rows: await detailsOf(sql, pageOfRuns(sql, workspaceId, first, size), order, output), total };
}

/**
 * Returns the listed runs, each with a part of its output. `offset 0` makes Postgres look up each run by its
 * id. Without `offset 0`, Postgres would not do so, because Postgres cannot foresee how few runs are listed.
 */
async function detailsOf(
  sql: Sql,
  listed: ReturnType<typeof pageOfRuns>,
  order: ReturnType<typeof orderBy>,
  output: OutputPart,
): Promise<LogDetailRow[]> {
  return await sql<LogDetailRow[]>`
    select ${sql(columns)}, ${relatedColumns(sql)}, ${outputColumn(sql, output)}
    from ${listed} listing
    cross join lateral (select * from runs where id = listed offset 0) r ${order}`;
}

function logCondition(sql: Sql, workspaceId: number, filter: LogFilter) {
  const { states, kind, backup_task_id, remote_server_id, backup_destination_id, tag_id } = filter;
  const { backup_id, search } = filter;
  const own = (table: string, id: number) =>
    sql`(select id from ${sql(table)} where id = ${id} and workspace_id = ${workspaceId})`;
  const isOwn = [backup_task_id, remote_server_id, backup_destination_id, backup_id]
    .some((id) => id !== undefined);
  return allOf(sql, [
    // If the filter names a task, server, destination or backup, only those of this workspace match, and all
    // their runs belong to this workspace. A condition on the runs' own workspace is then not needed. It
    // would make Postgres read every run of the workspace.
    isOwn ? null : sql`workspace_id = ${workspaceId}`,
    states === undefined ? null : sql`state = any(${[...states]})`,
    kind === undefined ? null : sql`kind = ${kind}`,
    backup_task_id === undefined ? null : sql`backup_task_id = ${own("backup_tasks", backup_task_id)}`,
    remote_server_id === undefined
      ? null
      : sql`remote_server_id = ${own("remote_servers", remote_server_id)}`,
    backup_destination_id === undefined
      ? null
      : sql`backup_destination_id = ${own("backup_destinations", backup_destination_id)}`,
    backup_id === undefined ? null : sql`backup_id = ${own("backups", backup_id)}`,
    tag_id === undefined ? null : sql`backup_task_id = any(array(
      select backup_task_id from backup_task_tags join tags on tags.id = tag_id
      where tag_id = ${tag_id} and tags.workspace_id = ${workspaceId}))`,
    ...createdWithin(sql, filter),
    search === undefined ? null : sql`(
      (reason is not null and ${containsText(sql, ["reason"], search)}) or backup_task_id = any(array(
        select id from backup_tasks where workspace_id = ${workspaceId} and ${
      containsText(sql, ["label"], search)
    })))`,
  ]);
}

export async function findLog(sql: Sql, workspaceId: number, id: number): Promise<LogRow | undefined> {
  const [row] = await sql<LogRow[]>`
    select ${sql(columns)} from runs where id = ${id} and workspace_id = ${workspaceId}`;
  return row;
}

/** Returns the run with a part of its output; undefined if there is no such run. */
export async function findLogDetail(
  sql: Sql,
  workspaceId: number,
  id: number,
  output: OutputPart,
): Promise<LogDetailRow | undefined> {
  const [row] = await sql<LogDetailRow[]>`
    select ${sql(columns)}, ${relatedColumns(sql)}, ${outputColumn(sql, output)}
    from runs r where id = ${id} and workspace_id = ${workspaceId}`;
  return row;
}

export async function lockLog(sql: Sql, workspaceId: number, id: number): Promise<LogRow | undefined> {
  const [row] = await sql<LogRow[]>`
    select ${sql(columns)} from runs where id = ${id} and workspace_id = ${workspaceId} for update`;
  return row;
}

/** Returns the task's newest backup run; undefined if there is none. */
export async function findLatestLog(
  sql: Sql,
  workspaceId: number,
  taskId: number,
): Promise<LogRow | undefined> {
  const [row] = await sql<LogRow[]>`
    select ${sql(columns)} from runs
    where backup_task_id = ${taskId} and workspace_id = ${workspaceId} and kind = 'backup' order by id desc limit 1`;
  return row;
}

/** Deletes a run with its output. A backup that the run stored is kept. */
export async function deleteLog(sql: Sql, id: number): Promise<void> {
  await sql`delete from runs where id = ${id}`;
}

/** Returns whether objects of the run still have to be removed. Their removal needs the run's record. */
export async function hasObjectsToRemove(sql: Sql, id: number): Promise<boolean> {
  const [row] = await sql<{ waits: boolean }[]>`
    select exists (select from leftovers where run_id = ${id})
      or exists (select from uploads where run_id = ${id} and state = 'open') as waits`;
  return row!.waits;
}
