/**
 * Puts records into the trash. Stores how long records stay there. Also stores trash events until
 * administrators are notified of them.
 */
import { selectSoleWorkspaces } from "../access/workspaces.ts";
import { DEFAULT_DELETE_DELAY_DAYS, type DeleteDelay } from "../../domain/trash.ts";
import type { Sql } from "../database/sql.ts";

interface SettingsRow {
  delay_days: number;
  next_delay_days: number | null;
  next_from: Date | null;
}

/** Returns how long records stay in the trash; null if no control plane has configured the delay yet. */
export async function findDeleteDelay(sql: Sql): Promise<DeleteDelay | null> {
  const [row] = await sql<SettingsRow[]>`
    select delay_days, next_delay_days, next_from from trash_settings`;
  if (row === undefined) return null;
  return {
    days: row.delay_days,
    next: row.next_from === null ? null : { days: row.next_delay_days!, from: row.next_from },
  };
}

/**
 * Returns the delay as {@link findDeleteDelay} does. Until the transaction ends, other control planes cannot
 * change the delay.
 */
export async function lockDeleteDelay(sql: Sql): Promise<DeleteDelay | null> {
  await sql`lock table trash_settings in exclusive mode`;
  return await findDeleteDelay(sql);
}

export async function storeDeleteDelay(sql: Sql, { days, next }: DeleteDelay): Promise<void> {
  const values = { delay_days: days, next_delay_days: next?.days ?? null, next_from: next?.from ?? null };
  await sql`insert into trash_settings ${sql(values)} on conflict (id) do update set ${sql(values)}`;
}

/**
 * Puts backups into the trash, to be deleted at `deletesAt`. The caller must not pass held backups.
 *
 * For a backup that is in the trash already:
 * - If its removal has begun, the removal is not delayed.
 * - Otherwise, if a retention rule put it there, the new time replaces the old time.
 * - Otherwise, a user put it there, and the old time is kept.
 */
export async function trashBackups(
  sql: Sql,
  ids: readonly number[],
  reason: "request" | "forget",
  { now, deletesAt }: { now: Date; deletesAt: Date },
): Promise<void> {
  await sql`
    update backups set removal_requested_at = coalesce(removal_requested_at, ${now}), removal_reason = ${reason},
      deletes_at = case
        when removal_begun_at is not null then deletes_at
        when removal_reason = 'retention' then ${deletesAt}
        else coalesce(deletes_at, ${deletesAt}) end,
      next_removal_at = case
        when removal_begun_at is not null then least(next_removal_at, greatest(deletes_at, ${now}))
        when removal_reason = 'retention' then ${deletesAt}
        else coalesce(deletes_at, ${deletesAt}) end
    where id = any(${[...ids]}::bigint[])`;
}

/**
 * Marks backups for removal at `deletesAt`, because a changed retention rule removes them. The caller must
 * not pass backups that are held.
 */
export async function trashByRule(
  sql: Sql,
  ids: readonly number[],
  { now, deletesAt }: { now: Date; deletesAt: Date },
): Promise<void> {
  await sql`
    update backups set removal_requested_at = ${now}, removal_reason = 'retention', deletes_at = ${deletesAt},
      next_removal_at = ${deletesAt}
    where id = any(${[...ids]}::bigint[]) and removal_requested_at is null`;
}

/** Ends each released hold whose `hold_ends_at` is reached. */
export async function endReleasedHolds(sql: Sql, now: Date): Promise<void> {
  await sql`
    update backups set held_at = null, hold_reason = null, hold_ends_at = null where hold_ends_at <= ${now}`;
}

/**
 * Locks the rows of users to delete, and returns their ids. A user is deleted if both conditions are met:
 * - The user's time in the trash is over.
 * - The workspaces of which the user is the only member have no backup, task or destination.
 */
export async function usersToDelete(sql: Sql, now: Date): Promise<number[]> {
  const own = selectSoleWorkspaces(sql, sql`u.id`);
  const rows = await sql<{ id: number }[]>`
    select id from users u where deletes_at <= ${now}
      and not exists (select from backups where workspace_id in (${own}))
      and not exists (select from backup_tasks where workspace_id in (${own}))
      and not exists (select from backup_destinations where workspace_id in (${own}))
    for update`;
  return rows.map(({ id }) => id);
}

/**
 * Locks the rows of destinations to delete, and returns their ids. These are the destinations whose time in
 * the trash is over. Destinations that a backup, task or unfinished run uses are left out.
 */
export async function destinationsToDelete(sql: Sql, now: Date): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from backup_destinations d where deletes_at <= ${now}
      and not exists (select from backups where backup_destination_id = d.id)
      and not exists (select from backup_tasks where backup_destination_id = d.id)
      and not exists (select from runs where backup_destination_id = d.id and finished_at is null)
    for update`;
  return rows.map(({ id }) => id);
}

/**
 * Returns the next time at which a released hold ends, or at which a record in the trash is to be deleted.
 * Returns null if there is no such time. Ignores backups in the trash.
 */
export async function nextTrashAt(sql: Sql): Promise<Date | null> {
  const [row] = await sql<{ next: Date | null }[]>`
    select least(
      (select min(hold_ends_at) from backups),
      (select min(deletes_at) from users),
      (select min(deletes_at) from backup_destinations),
      (select min(deletes_at) from deleted_records)
    ) as next`;
  return row!.next;
}

export interface TrashEvent {
  user_id: number;
  event: "delete" | "forget" | "release" | "retention";
  /** Type of the record as in the API's paths, such as `backups`. */
  resource: string;
  resource_id: number;
  ends_at: Date;
}

export async function insertTrashEvents(sql: Sql, news: readonly TrashEvent[], now: Date): Promise<void> {
  if (news.length === 0) return;
  await sql`insert into trash_news ${sql(news.map((each) => ({ ...each, created_at: now })))}`;
}

/** Summary of the trash events that have the same user, the same kind and the same type of record. */
export interface TrashSummary {
  email: string | null;
  event: TrashEvent["event"];
  resource: string;
  count: number;
  /** The ten lowest ids of these records. */
  ids: number[];
  ends_at: Date;
}

/**
 * Returns when administrators were last notified about the trash; null if never. Locks the value until the
 * transaction ends.
 */
export async function lockTrashNotifiedAt(sql: Sql): Promise<Date | null> {
  await sql`insert into trash_settings (delay_days) values (${DEFAULT_DELETE_DELAY_DAYS}) on conflict do nothing`;
  const [row] = await sql<{ told_at: Date | null }[]>`select told_at from trash_settings for update`;
  return row!.told_at;
}

export async function hasTrashEvents(sql: Sql): Promise<boolean> {
  const rows = await sql`select from trash_news limit 1`;
  return rows.length > 0;
}

/**
 * Deletes all pending events, records `now` as the time of the last notification, and returns the summaries.
 */
export async function takeTrashEvents(sql: Sql, now: Date): Promise<TrashSummary[]> {
  await sql`update trash_settings set told_at = ${now}`;
  return await sql<TrashSummary[]>`
    with taken as (delete from trash_news returning *)
    select u.email, n.event, n.resource, count(*) as count, min(n.ends_at) as ends_at,
      (array_agg(n.resource_id order by n.resource_id))[1:10] as ids
    from taken n left join users u on u.id = n.user_id
    group by u.email, n.event, n.resource order by u.email, n.resource, n.event`;
}
