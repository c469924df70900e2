/**
 * Reads how many backups and stored bytes were added and removed, by day. Triggers write the numbers, see the
 * migration `storage_history`.
 */
import type { Sql } from "../database/sql.ts";

/** Selects the backups of a whole workspace, at one of its destinations, or of one of its tasks. */
export interface StorageScope {
  readonly scope: "workspace" | "destination" | "task";
  /** Id of the workspace, destination or task. */
  readonly id: number;
}

export interface StorageChange {
  readonly added_count: number;
  readonly added_bytes: number;
  readonly removed_count: number;
  readonly removed_bytes: number;
}

/**
 * Adds up the changes of each day. The first day has the index 0, and all changes before it have the index
 * -1. Days without changes are absent. Sums bytes as floating-point numbers, which is faster and exact up to
 * 9 PB.
 *
 * @param boundaries When each day begins, and when the last one ends.
 */
export function sumStorageByDay(
  sql: Sql,
  workspaceId: number,
  { scope, id }: StorageScope,
  boundaries: readonly Date[],
): Promise<(StorageChange & { day: number })[]> {
  return sql<(StorageChange & { day: number })[]>`
    select width_bucket(slot, ${boundaries.map((each) => each.toISOString())}::timestamptz[]) - 1 as day,
      sum(added_count)::integer as added_count, sum(added_bytes::double precision) as added_bytes,
      sum(removed_count)::integer as removed_count, sum(removed_bytes::double precision) as removed_bytes
    from storage_history_with_changes
    where workspace_id = ${workspaceId} and scope = ${scope} and scope_id = ${id} and slot < ${boundaries.at(
    -1,
  )!}
    group by day`;
}

/**
 * Returns when the database began to record removals, if the workspace has backups from before that time;
 * otherwise null.
 */
export async function storageHistoryStart(sql: Sql, workspaceId: number): Promise<Date | null> {
  const [row] = await sql<{ applied_at: Date }[]>`
    select applied_at from schema_migrations where name like '%\\_storage\\_history' and exists (
      select from storage_history_with_changes
      where workspace_id = ${workspaceId} and scope = 'workspace' and scope_id = ${workspaceId}
        and slot < history_slot(applied_at)
    )`;
  return row?.applied_at ?? null;
}

/** Maximum number of changes that one call merges. The next call merges the rest. */
const AT_ONCE = 50_000;

/**
 * Merges pending changes into the history. If several replicas do this at once, each change is added once.
 */
export async function mergeStorageHistory(sql: Sql): Promise<void> {
  await sql`
    with taken as (
      delete from storage_history_changes where ctid = any(array(
        select ctid from storage_history_changes order by workspace_id, scope, scope_id, slot limit ${AT_ONCE}
        for update skip locked
      )) returning *
    )
    ${addTo(sql)} select workspace_id, scope, scope_id, slot, ${sums(sql)} from taken
    where exists (select from workspaces where id = workspace_id)
    group by workspace_id, scope, scope_id, slot order by workspace_id, scope, scope_id, slot ${
    onConflict(sql)
  }`;
}

/** Replaces all rows of a scope from before `before` by one row with their sums. Does this for each scope. */
export async function foldStorageHistoryBefore(sql: Sql, before: Date): Promise<void> {
  await sql`
    with taken as (
      delete from storage_history where slot < ${before} and slot > '-infinity' returning *
    )
    ${addTo(sql)} select workspace_id, scope, scope_id, '-infinity', ${sums(sql)} from taken
    group by workspace_id, scope, scope_id order by workspace_id, scope, scope_id ${onConflict(sql)}`;
}

const addTo = (sql: Sql) =>
  sql`insert into storage_history as kept
    (workspace_id, scope, scope_id, slot, added_count, added_bytes, removed_count, removed_bytes)`;

const sums = (sql: Sql) => sql`sum(added_count), sum(added_bytes), sum(removed_count), sum(removed_bytes)`;

const onConflict = (sql: Sql) =>
  sql`on conflict (workspace_id, scope, scope_id, slot) do update set
    added_count = kept.added_count + excluded.added_count, added_bytes = kept.added_bytes + excluded.added_bytes,
    removed_count = kept.removed_count + excluded.removed_count,
    removed_bytes = kept.removed_bytes + excluded.removed_bytes`;
