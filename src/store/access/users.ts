/** Stores the users of this control plane. */
import type { PageWindow } from "../../domain/page.ts";
import type { Sql } from "../database/sql.ts";
import { runsOf } from "../runs/run_counts.ts";
import { allOf, containsText, type ListOrder, orderBy, type Page } from "../database/page.ts";

export interface UserRow {
  id: number;
  name: string;
  email: string;
  timezone: string;
  language: string;
  is_admin: boolean;
  weekly_summary_enabled: boolean;
  /**
   * When the user will be deleted; null unless the user is in the trash. Tokens of a user in the trash are
   * invalid.
   */
  deletes_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

export type NewUser =
  & Pick<UserRow, "name" | "email" | "is_admin">
  & Partial<Pick<UserRow, "timezone" | "language">>;
export type UserChanges = Partial<Pick<UserRow, "name" | "email" | "timezone" | "language" | "is_admin">>;

/** How many records of each type a user has. */
export interface UserCounts {
  backup_tasks: number;
  /** Number of tasks that are not paused. */
  active_backup_tasks: number;
  logs: number;
  /** Number of runs created since midnight in the user's time zone. */
  logs_today: number;
  remote_servers: number;
  backup_destinations: number;
  backups: number;
  tags: number;
  notification_streams: number;
}

export async function insertUser(sql: Sql, user: NewUser, now: Date): Promise<UserRow> {
  const values = { ...user, created_at: now, updated_at: now };
  const [row] = await sql<UserRow[]>`insert into users ${sql(values)} returning *`;
  return row!;
}

export async function updateUser(
  sql: Sql,
  id: number,
  changes: UserChanges,
  now: Date,
): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`
    update users set ${
    sql({ ...changes, updated_at: now })
  } where id = ${id} and deletes_at is null returning *`;
  return row;
}

/** Deletes a user with all their records. */
export async function deleteUser(sql: Sql, id: number): Promise<void> {
  await sql`delete from users where id = ${id}`;
}

export async function findUser(sql: Sql, id: number): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`select * from users where id = ${id} and deletes_at is null`;
  return row;
}

/**
 * Locks a user against changes and new references until the transaction ends. Returns the user; undefined if
 * there is no such user, or if the user is in the trash.
 */
export async function lockUser(sql: Sql, id: number): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`select * from users where id = ${id} and deletes_at is null for update`;
  return row;
}

/** Locks a user until the transaction ends, even a user in the trash. Returns the user. */
export async function lockTrashedUser(sql: Sql, id: number): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`select * from users where id = ${id} for update`;
  return row;
}

/** Puts a user into the trash, or takes them out if `deletesAt` is null. */
export async function setUserDeletion(sql: Sql, id: number, deletesAt: Date | null): Promise<void> {
  await sql`update users set deletes_at = ${deletesAt} where id = ${id}`;
}

/**
 * Filter of a listing of users. With `status`, only users in the trash are listed; without it, only other
 * users.
 */
export interface UserFilter {
  readonly status?: "trash";
  /** Text to find in the name or the email address. */
  readonly search?: string;
}

export async function listUsers(
  sql: Sql,
  { sort, status, search }: UserFilter & ListOrder,
  { offset, limit }: PageWindow,
): Promise<Page<UserRow>> {
  const where = allOf(sql, [
    status === "trash" ? sql`deletes_at is not null` : sql`deletes_at is null`,
    search === undefined ? null : containsText(sql, ["name", "email"], search),
  ]);
  const order = orderBy(sql, sort, { created_at: "created_at", name: "name", email: "email" });
  const rows = await sql<UserRow[]>`
    select * from users where ${where} ${order} limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from users where ${where}`;
  return { rows, total: count!.total };
}

/** Returns whether a user other than `exceptId` has this email address, ignoring case. */
export async function isEmailTaken(sql: Sql, email: string, exceptId: number | null): Promise<boolean> {
  const rows = await sql`
    select from users where lower(email) = lower(${email}) and deletes_at is null and id is distinct from ${exceptId}`;
  return rows.length > 0;
}

/** Locks all administrators until the transaction ends. Returns their ids. */
export async function lockAdmins(sql: Sql): Promise<number[]> {
  const rows = await sql<
    { id: number }[]
  >`select id from users where is_admin and deletes_at is null order by id for update`;
  return rows.map((row) => row.id);
}

/** Lists administrators, the oldest account first, with their time zone. */
export async function listAdministrators(
  sql: Sql,
): Promise<{ id: number; email: string; timezone: string }[]> {
  return await sql<{ id: number; email: string; timezone: string }[]>`
    select id, email, timezone from users where is_admin and deletes_at is null order by id`;
}

/**
 * Counts a user's records.
 *
 * @param today The beginning of the current day in the user's time zone.
 */
export async function countOfUser(sql: Sql, id: number, today: Date): Promise<UserCounts> {
  const [row] = await sql<UserCounts[]>`
    select
      (select count(*) from backup_tasks where user_id = ${id}) as backup_tasks,
      (select count(*) from backup_tasks where user_id = ${id} and paused_at is null) as active_backup_tasks,
      ${runsOf(sql, id)} as logs,
      (select count(*) from runs where user_id = ${id} and created_at >= ${today}) as logs_today,
      (select count(*) from remote_servers where user_id = ${id}) as remote_servers,
      (select count(*) from backup_destinations where user_id = ${id} and deletes_at is null) as backup_destinations,
      (select count(*) from backups where user_id = ${id}) as backups,
      (select count(*) from tags where user_id = ${id}) as tags,
      (select count(*) from notification_streams where user_id = ${id}) as notification_streams`;
  return row!;
}
