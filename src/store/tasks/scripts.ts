/** Stores scripts, and reads which tasks use them. */
import { type Owner, ownerColumns } from "../../domain/access/owner.ts";
import type { Columns } from "../../definitions/fields/field.ts";
import type { ScriptFields, ScriptType } from "../../definitions/script_fields.ts";
import type { PageWindow } from "../../domain/page.ts";
import type { Sql } from "../database/sql.ts";
import { allOf, containsText, equalTo, type ListOrder, orderBy, type Page } from "../database/page.ts";

export interface ScriptRow extends Columns<ScriptFields> {
  id: number;
  user_id: number;
  workspace_id: number;
  created_at: Date;
  updated_at: Date;
}

export type NewScript = Columns<ScriptFields>;

/** A script with the number of tasks that use it. */
export interface ScriptDetailRow extends ScriptRow {
  backup_tasks_count: number;
}

export async function insertScript(sql: Sql, owner: Owner, script: NewScript, now: Date): Promise<number> {
  const values = { ...script, ...ownerColumns(owner), created_at: now, updated_at: now };
  const [row] = await sql<{ id: number }[]>`insert into scripts ${sql(values)} returning id`;
  return row!.id;
}

/** Changes a script of the workspace. Returns false if there is no such script. */
export async function updateScript(
  sql: Sql,
  { workspaceId, id }: { workspaceId: number; id: number },
  changes: Partial<NewScript>,
  now: Date,
): Promise<boolean> {
  const { count } = await sql`
    update scripts set ${
    sql({ ...changes, updated_at: now })
  } where id = ${id} and workspace_id = ${workspaceId}`;
  return count === 1;
}

/**
 * Locks a script of the workspace until the transaction ends, so that it cannot be added to a task meanwhile.
 * Returns false if there is no such script.
 */
export async function lockScript(sql: Sql, workspaceId: number, id: number): Promise<boolean> {
  const rows = await sql`select from scripts where id = ${id} and workspace_id = ${workspaceId} for update`;
  return rows.length === 1;
}

/** Returns the tasks that use a script, in order of their ids. */
export function tasksWithScript(sql: Sql, id: number): Promise<{ id: number; label: string }[]> {
  return sql<{ id: number; label: string }[]>`
    select id, label from backup_tasks
    where id in (select backup_task_id from backup_task_scripts where script_id = ${id}) order by id`;
}

/** Returns a task's scripts, in the order in which the task lists them. */
export function scriptsOfTask(sql: Sql, taskId: number): Promise<ScriptRow[]> {
  return sql<ScriptRow[]>`
    select s.* from scripts s join backup_task_scripts on script_id = s.id
    where backup_task_id = ${taskId} order by position`;
}

const taskCount = (sql: Sql) =>
  sql`(select count(*) from backup_task_scripts where script_id = s.id) as backup_tasks_count`;

export async function findScriptOf(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<ScriptDetailRow | undefined> {
  const [row] = await sql<ScriptDetailRow[]>`
    select s.*, ${taskCount(sql)} from scripts s where s.id = ${id} and s.workspace_id = ${workspaceId}`;
  return row;
}

export async function listScripts(
  sql: Sql,
  workspaceId: number,
  { offset, limit }: PageWindow,
  { sort, search, type }: ListOrder & { search?: string; type?: ScriptType } = {},
): Promise<Page<ScriptDetailRow>> {
  const where = allOf(sql, [
    sql`workspace_id = ${workspaceId}`,
    ...equalTo(sql, { type }),
    search === undefined ? null : containsText(sql, ["label", "script"], search),
  ]);
  const order = orderBy(sql, sort, { created_at: "created_at", label: "label" });
  const rows = await sql<ScriptDetailRow[]>`
    select s.*, ${taskCount(sql)} from scripts s where ${where} ${order} limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from scripts where ${where}`;
  return { rows, total: count!.total };
}
