/** Stores workspaces and their members. */
import type { Role } from "../../domain/access/roles.ts";
import type { PageWindow } from "../../domain/page.ts";
import { allOf, containsText, type ListOrder, orderBy, type Page } from "../database/page.ts";
import type { Fragment, Sql } from "../database/sql.ts";

export interface WorkspaceRow {
  id: number;
  name: string;
  /** The user whose own workspace this is; null for other workspaces. */
  user_id: number | null;
  members_count: number;
  /** The caller's role in the workspace; null if the caller is an administrator who is not a member. */
  role: Role | null;
  created_at: Date;
  updated_at: Date;
}

/** Which workspaces a caller can access. */
export interface Reach {
  /** The caller's user id. */
  readonly userId: number;
  /**
   * Id of the only workspace that the caller can access. If null, the caller can access every workspace of
   * which the user is a member.
   */
  readonly only: number | null;
  /** Whether the caller can also access workspaces of which the caller's user is not a member. */
  readonly isAll: boolean;
}

/** Filter of a listing of workspaces. */
export interface WorkspaceFilter extends ListOrder {
  /** Text to find in the name. */
  readonly search?: string;
}

/** Returns the id of the user's own workspace. Creates the workspace if the user has none yet. */
export async function ownWorkspace(sql: Sql, userId: number): Promise<number> {
  const [row] = await sql<{ id: number }[]>`select own_workspace(${userId}) as id`;
  return row!.id;
}

/** Returns the ids of the workspaces whose only member is the user. */
export async function soleWorkspaces(sql: Sql, userId: number): Promise<number[]> {
  const rows = await sql<{ workspace_id: number }[]>`${selectSoleWorkspaces(sql, sql`${userId}`)}`;
  return rows.map((row) => row.workspace_id);
}

/** Returns SQL that selects the `workspace_id` of each workspace whose only member is the user. */
export function selectSoleWorkspaces(sql: Sql, userId: ReturnType<Sql>) {
  return sql`
    select workspace_id from workspace_members m where user_id = ${userId} and not exists (
      select from workspace_members o where o.workspace_id = m.workspace_id and o.user_id <> m.user_id)`;
}

export async function isOwnWorkspace(sql: Sql, userId: number, workspaceId: number): Promise<boolean> {
  const rows = await sql`select from workspaces where id = ${workspaceId} and user_id = ${userId}`;
  return rows.length > 0;
}

/** Inserts a workspace without members, and returns its id. */
export async function insertWorkspace(sql: Sql, name: string, now: Date): Promise<number> {
  const values = { name, created_at: now, updated_at: now };
  const [row] = await sql<{ id: number }[]>`insert into workspaces ${sql(values)} returning id`;
  return row!.id;
}

export async function renameWorkspace(sql: Sql, id: number, name: string, now: Date): Promise<void> {
  await sql`update workspaces set name = ${name}, updated_at = ${now} where id = ${id}`;
}

/** Deletes a workspace with its members, tokens and remaining records. */
export async function deleteWorkspace(sql: Sql, id: number): Promise<void> {
  await sql`delete from workspaces where id = ${id}`;
}

export async function findWorkspace(sql: Sql, reach: Reach, id: number): Promise<WorkspaceRow | undefined> {
  const [row] = await sql<WorkspaceRow[]>`${selectReached(sql, reach)} and w.id = ${id}`;
  return row;
}

/**
 * Locks a workspace until the transaction ends, so that its members do not change meanwhile. Returns the
 * workspace; undefined if the caller can't access it.
 */
export async function lockWorkspace(sql: Sql, reach: Reach, id: number): Promise<WorkspaceRow | undefined> {
  await sql`select from workspaces where id = ${id} for update`;
  return await findWorkspace(sql, reach, id);
}

export async function listWorkspaces(
  sql: Sql,
  reach: Reach,
  { search, sort }: WorkspaceFilter,
  { offset, limit }: PageWindow,
): Promise<Page<WorkspaceRow>> {
  const where = allOf(sql, [search === undefined ? null : containsText(sql, ["name"], search)]);
  const listed = sql`(${selectReached(sql, reach)}) listed where ${where}`;
  const order = orderBy(sql, sort, { created_at: "created_at", name: "name" });
  const rows = await sql<WorkspaceRow[]>`select * from ${listed} ${order} limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from ${listed}`;
  return { rows, total: count!.total };
}

/**
 * Returns a query for the workspaces that the caller can access. The caller can append further conditions
 * with `and`.
 */
function selectReached(sql: Sql, { userId, only, isAll }: Reach): Fragment {
  const reached = isAll
    ? sql`true`
    : sql`m.user_id is not null and ${only === null ? sql`true` : sql`w.id = ${only}`}`;
  return sql`
    select w.*, m.role,
      (select count(*) from workspace_members c where c.workspace_id = w.id) as members_count
    from workspaces w left join workspace_members m on m.workspace_id = w.id and m.user_id = ${userId}
    where ${reached}`;
}
