/** Reads the records of a repository's backups. `recover` compares them with the repository's contents. */
import type { TypedSettings } from "../../definitions/destinations/settings.ts";
import type { Sql } from "../database/sql.ts";

export interface KnownManifest {
  name: string;
  sha256: string;
  directory: string;
  backup_destination_id: number;
}

/** Returns the manifests of all backups, the newest backup first. */
export function knownManifests(sql: Sql): Promise<KnownManifest[]> {
  return sql<KnownManifest[]>`
    select o.name, o.sha256, b.directory, b.backup_destination_id
    from backup_objects o join backups b on b.id = o.backup_id
    where o.role = 'manifest' order by b.id desc`;
}

export interface TaskLocation {
  id: number;
  user_id: number;
  workspace_id: number;
  label: string;
  remote_server_id: number;
  backup_destination_id: number;
  destination: TypedSettings;
  store_path: string | null;
}

export function taskLocations(sql: Sql): Promise<TaskLocation[]> {
  return sql<TaskLocation[]>`
    select t.id, t.user_id, t.workspace_id, t.label, t.remote_server_id, t.backup_destination_id, t.store_path,
      json_build_object('type', d.type, 'settings', d.settings) as destination
    from backup_tasks t join backup_destinations d on d.id = t.backup_destination_id order by t.id`;
}

/** Returns the hostname and the address of each server. The workspace's servers come first. */
export async function serverNames(sql: Sql, workspaceId: number): Promise<{ id: number; names: string[] }[]> {
  return await sql<{ id: number; names: string[] }[]>`
    select id, array_remove(array[agent_description ->> 'hostname', ip_address], null) as names
    from remote_servers order by workspace_id = ${workspaceId} desc, id`;
}

/** Returns the passwords of all tasks and backups as they are stored, encrypted with a secret key. */
export async function backupPasswords(sql: Sql): Promise<string[]> {
  const rows = await sql<{ sealed: string }[]>`
    select encryption_password_encrypted as sealed from backup_tasks where encryption_password_encrypted is not null
    union all
    select encryption_password_encrypted from backups where encryption_password_encrypted is not null`;
  return rows.map(({ sealed }) => sealed);
}
