/** Stores who is a member of which workspace, and with which role. */
import type { Role } from "../../domain/access/roles.ts";
import type { PageWindow } from "../../domain/page.ts";
import type { Page } from "../database/page.ts";
import type { Fragment, Sql } from "../database/sql.ts";

export interface MemberRow {
  workspace_id: number;
  user_id: number;
  name: string;
  email: string;
  role: Role;
  created_at: Date;
}

/** Adds a member. Returns false if the user is already a member. */
export async function insertMember(
  sql: Sql,
  member: Pick<MemberRow, "workspace_id" | "user_id" | "role">,
  now: Date,
): Promise<boolean> {
  const { count } = await sql`
    insert into workspace_members ${sql({ ...member, created_at: now })} on conflict do nothing`;
  return count === 1;
}

export async function updateMemberRole(
  sql: Sql,
  { workspace_id, user_id, role }: Pick<MemberRow, "workspace_id" | "user_id" | "role">,
): Promise<void> {
  await sql`
    update workspace_members set role = ${role} where workspace_id = ${workspace_id} and user_id = ${user_id}`;
}

/** Removes a member, and revokes the member's tokens for the workspace. */
export async function deleteMember(
  sql: Sql,
  { workspace_id, user_id }: Pick<MemberRow, "workspace_id" | "user_id">,
  now: Date,
): Promise<void> {
  await sql`delete from workspace_members where workspace_id = ${workspace_id} and user_id = ${user_id}`;
  await sql`
    update tokens set revoked_at = ${now}, updated_at = ${now}
    where workspace_id = ${workspace_id} and user_id = ${user_id} and revoked_at is null`;
}

export async function findMember(
  sql: Sql,
  workspaceId: number,
  userId: number,
): Promise<MemberRow | undefined> {
  const [row] = await sql<MemberRow[]>`${selectMembers(sql, workspaceId)} and u.id = ${userId}`;
  return row;
}

export async function listMembers(
  sql: Sql,
  workspaceId: number,
  { offset, limit }: PageWindow,
): Promise<Page<MemberRow>> {
  const members = selectMembers(sql, workspaceId);
  const rows = await sql<MemberRow[]>`${members} order by u.id limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from (${members}) members`;
  return { rows, total: count!.total };
}

/** Returns the number of the workspace's managers other than the user. Does not count users in the trash. */
export async function countOtherManagers(sql: Sql, workspaceId: number, userId: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from (${selectMembers(sql, workspaceId)}) members
    where role = 'manager' and user_id <> ${userId}`;
  return row!.count;
}

/** Returns the names of the workspaces that have other members, but no manager except the user. */
export async function solelyManaged(sql: Sql, userId: number): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select w.name from workspace_members m join workspaces w on w.id = m.workspace_id
    where m.user_id = ${userId} and m.role = 'manager'
      and exists (
        select from workspace_members o join users u on u.id = o.user_id
        where o.workspace_id = w.id and o.user_id <> ${userId} and u.deletes_at is null)
      and not exists (
        select from workspace_members o join users u on u.id = o.user_id
        where o.workspace_id = w.id and o.user_id <> ${userId} and u.deletes_at is null and o.role = 'manager')
    order by w.id`;
  return rows.map(({ name }) => name);
}

/**
 * Returns a query for a workspace's members who are not in the trash. The caller can append further
 * conditions with `and`.
 */
function selectMembers(sql: Sql, workspaceId: number): Fragment {
  return sql`
    select m.workspace_id, m.user_id, u.name, u.email, m.role, m.created_at
    from workspace_members m join users u on u.id = m.user_id
    where m.workspace_id = ${workspaceId} and u.deletes_at is null`;
}
