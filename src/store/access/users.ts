/** Stores the users of this control plane. */
import { ownWorkspace } from "./workspaces.ts";
import type { PageWindow } from "../../domain/page.ts";
import type { Fragment, Sql } from "../database/sql.ts";
import { allOf, containsText, type ListOrder, orderBy, type Page } from "../database/page.ts";

export interface UserRow {
  id: number;
  name: string;
  email: string;
  timezone: string;
  language: string;
  is_admin: boolean;
  /** Whether a notification stream of the user's own workspace gets a weekly summary. */
  weekly_summary_enabled: boolean;
  /**
   * When a user in the trash will be deleted; null for a user who is not in the trash. Tokens of a user in
   * the trash are invalid.
   */
  deletes_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

export type NewUser =
  & Pick<UserRow, "name" | "email" | "is_admin">
  & Partial<Pick<UserRow, "timezone" | "language">>;
export type UserChanges = Partial<Pick<UserRow, "name" | "email" | "timezone" | "language" | "is_admin">>;

/**
 * Returns SQL for the columns of a user. The column `weekly_summary_enabled` of the table is not read: no
 * version of the control plane has ever set it.
 */
function columns(sql: Sql): Fragment {
  return sql`
    id, name, email, timezone, language, is_admin, deletes_at, created_at, updated_at,
    exists (
      select from notification_streams n join workspaces w on w.id = n.workspace_id
      where w.user_id = users.id and n.summary = 'weekly'
    ) as weekly_summary_enabled`;
}

/** Inserts a user with a workspace of their own. */
export async function insertUser(sql: Sql, user: NewUser, now: Date): Promise<UserRow> {
  const values = { ...user, created_at: now, updated_at: now };
  const [row] = await sql<UserRow[]>`insert into users ${sql(values)} returning ${columns(sql)}`;
  await ownWorkspace(sql, row!.id);
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
  } where id = ${id} and deletes_at is null returning ${columns(sql)}`;
  return row;
}

/** Deletes a user with all their records. */
export async function deleteUser(sql: Sql, id: number): Promise<void> {
  await sql`delete from users where id = ${id}`;
}

export async function findUser(sql: Sql, id: number): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`select ${
    columns(sql)
  } from users where id = ${id} and deletes_at is null`;
  return row;
}

/**
 * Returns the user with this email address, ignoring case; undefined if there is none, or if the user is in
 * the trash.
 */
export async function findUserByEmail(sql: Sql, email: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`
    select ${columns(sql)} from users where lower(email) = lower(${email}) and deletes_at is null`;
  return row;
}

/**
 * Locks a user against changes and new references until the transaction ends. Returns the user; undefined if
 * there is no such user, or if the user is in the trash.
 */
export async function lockUser(sql: Sql, id: number): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`select ${
    columns(sql)
  } from users where id = ${id} and deletes_at is null for update`;
  return row;
}

/** Locks a user until the transaction ends, even a user in the trash. Returns the user. */
export async function lockTrashedUser(sql: Sql, id: number): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`select ${columns(sql)} from users where id = ${id} for update`;
  return row;
}

/** Puts a user into the trash, or takes them out if `deletesAt` is null. */
export async function setUserDeletion(sql: Sql, id: number, deletesAt: Date | null): Promise<void> {
  await sql`update users set deletes_at = ${deletesAt} where id = ${id}`;
}

/**
 * Filter of a listing of users. With `status`, only users in the trash are listed. Without `status`, only
 * users who are not in the trash are listed.
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
    select ${columns(sql)} from users where ${where} ${order} limit ${limit} offset ${offset}`;
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

export interface Administrator {
  id: number;
  email: string;
  timezone: string;
  /** The administrator's own workspace. */
  workspace_id: number;
}

/** Lists administrators, the oldest account first. */
export async function listAdministrators(
  sql: Sql,
): Promise<Administrator[]> {
  return await sql<Administrator[]>`
    select id, email, timezone, own_workspace(id) as workspace_id from users where is_admin and deletes_at is null order by id`;
}
