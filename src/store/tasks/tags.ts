/** Stores tags: a workspace's own labels for backup tasks. */
import { type Owner, ownerColumns } from "../../domain/access/owner.ts";
import type { Columns } from "../../definitions/fields/field.ts";
import type { TagFields } from "../../definitions/tag_fields.ts";
import type { PageWindow } from "../../domain/page.ts";
import type { Sql } from "../database/sql.ts";
import { allOf, containsText, type ListOrder, orderBy, type Page } from "../database/page.ts";

export interface TagRow extends Columns<TagFields> {
  id: number;
  user_id: number;
  workspace_id: number;
  created_at: Date;
  updated_at: Date;
}

export type NewTag = Columns<TagFields>;

export async function insertTag(sql: Sql, owner: Owner, tag: NewTag, now: Date): Promise<TagRow> {
  const values = { ...tag, ...ownerColumns(owner), created_at: now, updated_at: now };
  const [row] = await sql<TagRow[]>`insert into tags ${sql(values)} returning *`;
  return row!;
}

export async function updateTag(
  sql: Sql,
  workspaceId: number,
  id: number,
  changes: Partial<NewTag>,
  now: Date,
): Promise<TagRow | undefined> {
  const [row] = await sql<TagRow[]>`
    update tags set ${
    sql({ ...changes, updated_at: now })
  } where id = ${id} and workspace_id = ${workspaceId} returning *`;
  return row;
}

/** Locks a tag of the workspace until the transaction ends. Returns false if there is no such tag. */
export async function lockTag(sql: Sql, workspaceId: number, id: number): Promise<boolean> {
  const rows = await sql`select from tags where id = ${id} and workspace_id = ${workspaceId} for update`;
  return rows.length > 0;
}

/**
 * Locks a tag of the workspace against deletion until the transaction ends. Returns false if there is no such
 * tag.
 */
export async function holdTag(sql: Sql, workspaceId: number, id: number): Promise<boolean> {
  const rows = await sql`
    select from tags where id = ${id} and workspace_id = ${workspaceId} for key share`;
  return rows.length > 0;
}

/** Adds a tag to a task. Returns false if the task has it already. */
export async function addTagToTask(sql: Sql, taskId: number, tagId: number): Promise<boolean> {
  const { count } = await sql`
    insert into backup_task_tags (backup_task_id, tag_id) values (${taskId}, ${tagId}) on conflict do nothing`;
  return count === 1;
}

/** Removes a tag from a task. Returns false if the task does not have it. */
export async function removeTagFromTask(sql: Sql, taskId: number, tagId: number): Promise<boolean> {
  const { count } = await sql`
    delete from backup_task_tags where backup_task_id = ${taskId} and tag_id = ${tagId}`;
  return count === 1;
}

export async function findTagOf(sql: Sql, workspaceId: number, id: number): Promise<TagRow | undefined> {
  const [row] = await sql<TagRow[]>`select * from tags where id = ${id} and workspace_id = ${workspaceId}`;
  return row;
}

export async function listTags(
  sql: Sql,
  workspaceId: number,
  { offset, limit }: PageWindow,
  { sort, search }: ListOrder & { search?: string } = {},
): Promise<Page<TagRow>> {
  const where = allOf(sql, [
    sql`workspace_id = ${workspaceId}`,
    search === undefined ? null : containsText(sql, ["label", "description"], search),
  ]);
  const order = orderBy(sql, sort, { created_at: "created_at", label: "label" });
  const rows = await sql<TagRow[]>`
    select * from tags where ${where} ${order} limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from tags where ${where}`;
  return { rows, total: count!.total };
}
