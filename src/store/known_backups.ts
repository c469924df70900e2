/** What the records know of a place, where a recovery compares them with what lies there. */
import type { Sql } from "./database.ts";

export interface KnownManifest {
  name: string;
  sha256: string;
  directory: string;
  backup_destination_id: number;
}

/** Of every backup; the newest first. */
export function knownManifests(sql: Sql): Promise<KnownManifest[]> {
  return sql<KnownManifest[]>`
    select o.name, o.sha256, b.directory, b.backup_destination_id
    from backup_objects o join backups b on b.id = o.backup_id
    where o.role = 'manifest' order by b.id desc`;
}

export interface TaskPlace {
  id: number;
  user_id: number;
  remote_server_id: number;
  backup_destination_id: number;
}

export function taskPlaces(sql: Sql): Promise<TaskPlace[]> {
  return sql<
    TaskPlace[]
  >`select id, user_id, remote_server_id, backup_destination_id from backup_tasks order by id`;
}

/** What each server's agent calls its machine, and the address that the server has; the user's own servers first. */
export async function serverNames(sql: Sql, userId: number): Promise<{ id: number; names: string[] }[]> {
  return await sql<{ id: number; names: string[] }[]>`
    select id, array_remove(array[agent_description ->> 'hostname', ip_address], null) as names
    from remote_servers order by user_id = ${userId} desc, id`;
}

/** Sealed; every one that a task or a backup has. */
export async function backupPasswords(sql: Sql): Promise<string[]> {
  const rows = await sql<{ sealed: string }[]>`
    select encryption_password_encrypted as sealed from backup_tasks where encryption_password_encrypted is not null
    union all
    select encryption_password_encrypted from backups where encryption_password_encrypted is not null`;
  return rows.map(({ sealed }) => sealed);
}
