/** Reads what a notification says about its task, server and backup. */
import type { Sql } from "./sql.ts";

/** Facts for a notification about a task: the task, its server, and the time zone of its user. */
export interface NotifiedTask {
  timezone: string;
  task: { id: number; label: string; type: string };
  server: { id: number; label: string } | null;
}

/**
 * Returns the facts for a notification about a task; undefined if there is no such task.
 *
 * @param serverId The run's server, which might not be the task's server.
 */
export async function findNotifiedTask(
  sql: Sql,
  taskId: number,
  serverId: number | null,
): Promise<NotifiedTask | undefined> {
  const [row] = await sql<NotifiedTask[]>`
    select u.timezone, json_build_object('id', t.id, 'label', t.label, 'type', t.type) as task,
      case when s.id is not null then json_build_object('id', s.id, 'label', s.label) end as server
    from backup_tasks t join users u on u.id = t.user_id
    left join remote_servers s on s.id = ${serverId}
    where t.id = ${taskId}`;
  return row;
}

/** Returns the facts for a notification that has no task; undefined if there is no such user. */
export async function findNotifiedUser(
  sql: Sql,
  userId: number,
  serverId: number | null,
): Promise<Omit<NotifiedTask, "task"> & { task: null } | undefined> {
  const [row] = await sql<(Omit<NotifiedTask, "task"> & { task: null })[]>`
    select u.timezone, null as task,
      case when s.id is not null then json_build_object('id', s.id, 'label', s.label) end as server
    from users u left join remote_servers s on s.id = ${serverId}
    where u.id = ${userId}`;
  return row;
}

export async function findNotifiedBackup(
  sql: Sql,
  id: number,
): Promise<{ id: number; file_name: string; size: number; created_at: Date } | undefined> {
  const [row] = await sql<{ id: number; file_name: string; size: number; created_at: Date }[]>`
    select id, file_name, size, created_at from backups where id = ${id}`;
  return row;
}
