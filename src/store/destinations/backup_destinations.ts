/** Stores backup destinations: where backups are stored. */
import { type Owner, ownerColumns } from "../../domain/access/owner.ts";
import type { Secrets, Settings } from "../../definitions/destinations/definition.ts";
import type { DestinationType } from "../../definitions/destinations/registry.ts";
import { SEARCHED_SETTINGS } from "../../definitions/destinations/settings.ts";
import type { Sql } from "../database/sql.ts";
import { allOf, containsText, createdWithin, type ListOrder, orderBy, type Page } from "../database/page.ts";

export interface BackupDestinationRow {
  id: number;
  user_id: number;
  workspace_id: number;
  label: string;
  type: DestinationType;
  settings: Settings;
  /** The destination's secrets by name, each encrypted. */
  secrets: Secrets;
  /**
   * The destination's space, as an agent last measured it. All three fields are null if no agent has measured
   * it.
   */
  space_free_bytes: number | null;
  space_total_bytes: number | null;
  space_measured_at: Date | null;
  /** When a destination in the trash will be deleted; null for a destination that is not in the trash. */
  deletes_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

export type NewBackupDestination = Pick<BackupDestinationRow, "label" | "type" | "settings" | "secrets">;

export async function insertBackupDestination(
  sql: Sql,
  owner: Owner,
  destination: NewBackupDestination,
  now: Date,
): Promise<number> {
  const values = { ...columns(sql, destination), ...ownerColumns(owner), created_at: now, updated_at: now };
  const [row] = await sql<{ id: number }[]>`insert into backup_destinations ${sql(values)} returning id`;
  return row!.id;
}

export async function updateBackupDestination(
  sql: Sql,
  id: number,
  destination: NewBackupDestination,
  now: Date,
): Promise<void> {
  const values = { ...columns(sql, destination), updated_at: now };
  await sql`update backup_destinations set ${sql(values)} where id = ${id}`;
}

function columns(sql: Sql, { label, type, settings, secrets }: NewBackupDestination) {
  return { label, type, settings: sql.json(settings), secrets: sql.json(secrets) };
}

/** Deletes a destination and the rows of uploads to it. */
export async function deleteBackupDestination(sql: Sql, id: number): Promise<void> {
  await sql`delete from uploads where backup_destination_id = ${id}`;
  await sql`delete from backup_destinations where id = ${id}`;
}

/** Returns a destination, whichever workspace it belongs to. */
export async function findBackupDestination(sql: Sql, id: number): Promise<BackupDestinationRow | undefined> {
  const [row] = await sql<BackupDestinationRow[]>`select * from backup_destinations where id = ${id}`;
  return row;
}

export async function findBackupDestinationOf(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<BackupDestinationRow | undefined> {
  const [row] = await sql<BackupDestinationRow[]>`
    select * from backup_destinations where id = ${id} and workspace_id = ${workspaceId} and deletes_at is null`;
  return row;
}

/**
 * Returns whether the destination belongs to the workspace, and prevents the destination's deletion until the
 * transaction ends.
 */
export async function holdBackupDestination(sql: Sql, workspaceId: number, id: number): Promise<boolean> {
  const rows = await sql`
    select from backup_destinations where id = ${id} and workspace_id = ${workspaceId} and deletes_at is null for key share`;
  return rows.length > 0;
}

/**
 * Locks a destination of the workspace against changes and new references until the transaction ends. Returns
 * the destination.
 */
export async function lockBackupDestination(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<BackupDestinationRow | undefined> {
  const [row] = await sql<BackupDestinationRow[]>`
    select * from backup_destinations where id = ${id} and workspace_id = ${workspaceId} and deletes_at is null for update`;
  return row;
}

/**
 * Filter of a listing of destinations. With `status`, only destinations in the trash are listed. Without
 * `status`, only destinations that are not in the trash are listed. Each other field filters only if it is
 * present.
 */
export interface BackupDestinationFilter {
  readonly status?: "trash";
  readonly type?: BackupDestinationRow["type"];
  readonly since?: Date;
  readonly until?: Date;
  /** Text to find in the label or the address. */
  readonly search?: string;
}

const SORTS = { created_at: "created_at", label: "label" };

export async function listBackupDestinations(
  sql: Sql,
  workspaceId: number,
  { sort, status, type, since, until, search }: BackupDestinationFilter & ListOrder,
  offset: number,
  limit: number,
): Promise<Page<BackupDestinationRow>> {
  const where = allOf(sql, [
    sql`workspace_id = ${workspaceId}`,
    status === "trash" ? sql`deletes_at is not null` : sql`deletes_at is null`,
    type === undefined ? null : sql`type = ${type}`,
    ...createdWithin(sql, { since, until }),
    search === undefined ? null : containsText(sql, searched(sql), search),
  ]);
  const rows = await sql<BackupDestinationRow[]>`
    select * from backup_destinations where ${where} ${orderBy(sql, sort, SORTS)}
    limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`
    select count(*) as total from backup_destinations where ${where}`;
  return { rows, total: count!.total };
}

function searched(sql: Sql) {
  return ["label", ...SEARCHED_SETTINGS.map((name) => sql`settings ->> ${name}::text`)];
}

/** Puts a destination into the trash, or takes it out if `deletesAt` is null. */
export async function setDestinationDeletion(sql: Sql, id: number, deletesAt: Date | null): Promise<void> {
  await sql`update backup_destinations set deletes_at = ${deletesAt} where id = ${id}`;
}

/**
 * Locks a destination of the workspace until the transaction ends, even if the destination is in the trash.
 * Returns the destination.
 */
export async function lockTrashedDestination(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<BackupDestinationRow | undefined> {
  const [row] = await sql<BackupDestinationRow[]>`
    select * from backup_destinations where id = ${id} and workspace_id = ${workspaceId} for update`;
  return row;
}

/**
 * Locks the destination of a workspace's backup until the transaction ends, even if the destination is in the
 * trash. Returns the destination.
 */
export async function lockDestinationOfBackup(
  sql: Sql,
  workspaceId: number,
  backupId: number,
): Promise<BackupDestinationRow | undefined> {
  const [row] = await sql<BackupDestinationRow[]>`
    select * from backup_destinations
    where id = (select backup_destination_id from backups where id = ${backupId} and workspace_id = ${workspaceId})
    for update`;
  return row;
}

/** Locks the backups at a destination until the transaction ends. Returns their ids and states. */
export async function lockBackupsAt(
  sql: Sql,
  destinationId: number,
): Promise<{ id: number; is_held: boolean; is_forgotten: boolean }[]> {
  return await sql<{ id: number; is_held: boolean; is_forgotten: boolean }[]>`
    select id, held_at is not null as is_held, removal_reason is not distinct from 'forget' as is_forgotten
    from backups where backup_destination_id = ${destinationId} order by id for update`;
}

/** How many records of each type prevent a destination's deletion. */
export interface DestinationUses {
  readonly tasks: number;
  readonly backups: number;
  readonly leftovers: number;
  /** Number of unfinished runs. `uploads` is the number of finished runs that still have open uploads. */
  readonly runs: number;
  readonly uploads: number;
}

export async function countDestinationUses(sql: Sql, id: number): Promise<DestinationUses> {
  const [row] = await sql<DestinationUses[]>`
    select
      (select count(*) from leftovers where backup_destination_id = ${id}) as leftovers,
      (select count(*) from backup_tasks where backup_destination_id = ${id}) as tasks,
      (select count(*) from backups where backup_destination_id = ${id}) as backups,
      (select count(*) from runs where backup_destination_id = ${id} and finished_at is null) as runs,
      (
        select count(*) from runs r where r.backup_destination_id = ${id} and r.finished_at is not null
          and exists (select from uploads where run_id = r.id and state = 'open')
      ) as uploads`;
  return row!;
}

/**
 * Changes the directory of all backups and leftovers at a destination.
 *
 * @param moved Returns the new name of a directory, or null if the directory keeps its name.
 */
export async function moveStoredObjects(
  sql: Sql,
  id: number,
  moved: (directory: string) => string | null,
): Promise<void> {
  const rows = await sql<{ directory: string }[]>`
    select directory from backups where backup_destination_id = ${id}
    union select directory from leftovers where backup_destination_id = ${id} and upload_id is null`;
  for (const { directory } of rows) {
    const next = moved(directory);
    if (next === null || next === directory) continue;
    await sql`
      update backups set directory = ${next} where backup_destination_id = ${id} and directory = ${directory}`;
    await sql`
      update leftovers set directory = ${next}
      where backup_destination_id = ${id} and directory = ${directory} and upload_id is null`;
  }
}
