/**
 * Objects and uploads that dead runs may have left at destinations. A row stays until the deletion of its
 * object is confirmed.
 */
import type { Sql } from "../database/sql.ts";
import type { RunRow } from "../runs/runs.ts";

export interface LeftoverRow {
  id: number;
  backup_destination_id: number;
  remote_server_id: number | null;
  upload_id: string | null;
  directory: string;
  name: string;
  attempts: number;
}

/**
 * Records the uploads of a run that must be removed. These are the open uploads. If the run did not succeed,
 * the completed uploads must be removed too. Ignores uploads of attempts after `attempt`, because these
 * attempts might be active. Returns the number of recorded uploads.
 */
export async function insertUploadLeftovers(
  sql: Sql,
  runId: number,
  attempt: number,
  succeeded: boolean,
  now: Date,
): Promise<number> {
  const states = succeeded ? ["open"] : ["open", "completed"];
  const { count } = await sql`
    insert into leftovers
      (run_id, backup_destination_id, upload_id, directory, name, next_removal_at, created_at)
    select run_id, backup_destination_id, id, '', object_key, ${now}, ${now} from uploads u
    where run_id = ${runId} and attempt <= ${attempt} and state in ${sql(states)}
      and not exists (select 1 from leftovers l where l.upload_id = u.id)`;
  return count;
}

/** Returns whether a completed upload of this attempt was removed because the run was considered dead. */
export async function hasRemovedUploads(sql: Sql, runId: number, attempt: number): Promise<boolean> {
  const rows = await sql`
    select from uploads where run_id = ${runId} and attempt = ${attempt} and state = 'removed' and size is not null limit 1`;
  return rows.length > 0;
}

/**
 * Records objects by name, to be removed by the agent of the run's server. Ignores objects that belong to a
 * backup. Returns the number of recorded objects.
 */
export async function insertNamedLeftovers(
  sql: Sql,
  run: RunRow,
  location: { destinationId: number; directory: string },
  names: readonly string[],
  now: Date,
): Promise<number> {
  const { count } = await sql`
    insert into leftovers
      (run_id, backup_destination_id, remote_server_id, directory, name, next_removal_at, created_at)
    select ${run.id}, ${location.destinationId}, ${run.remote_server_id}, ${location.directory}, object.name, ${now}, ${now}
    from unnest(${[...names]}::text[]) object(name)
    where not exists (
      select from backups b join backup_objects o on o.backup_id = b.id
      where b.backup_destination_id = ${location.destinationId} and b.directory = ${location.directory} and o.name = object.name
    )`;
  return count;
}

/**
 * Returns up to 100 runs that ended before the time `before`, and whose uploads must be removed but are not
 * recorded as leftovers. The agents of these runs were lost and have never connected again.
 */
export async function runsWithForgottenUploads(
  sql: Sql,
  before: Date,
): Promise<{ id: number; attempt: number }[]> {
  return await sql<{ id: number; attempt: number }[]>`
    select distinct r.id, r.attempt from runs r join uploads u on u.run_id = r.id
    where r.finished_at < ${before} and (u.state = 'open' or (u.state = 'completed' and r.state <> 'succeeded'))
      and not exists (select 1 from leftovers l where l.upload_id = u.id)
    order by r.id limit 100`;
}

/** Leases due leftovers to this replica until `leaseUntil`, and returns them. */
export function claimLeftovers(sql: Sql, now: Date, leaseUntil: Date, limit: number): Promise<LeftoverRow[]> {
  return sql<LeftoverRow[]>`
    update leftovers l set next_removal_at = ${leaseUntil}
    from (
      select id from leftovers where next_removal_at <= ${now}
      order by next_removal_at, id limit ${limit} for update skip locked
    ) due
    where l.id = due.id
    returning l.id, l.backup_destination_id, l.remote_server_id, l.upload_id, l.directory, l.name, l.attempts`;
}

export async function deleteLeftover(sql: Sql, id: number): Promise<void> {
  await sql`delete from leftovers where id = ${id}`;
}

export async function postponeLeftover(sql: Sql, id: number, error: string, next: Date): Promise<void> {
  await sql`
    update leftovers set attempts = attempts + 1, error = ${error}, next_removal_at = ${next} where id = ${id}`;
}
