/** Reads what a person must know to find every backup without the control plane. */
import { control_plane } from "../../definitions/sources/control_plane.ts";
import { typesOfReach } from "../../definitions/destinations/registry.ts";
import type { BackupDestinationRow } from "../destinations/backup_destinations.ts";
import type { Sql } from "../database/sql.ts";

export interface KitDestinationRow extends BackupDestinationRow {
  owner: string;
  backups_count: number;
  newest_backup_at: Date | null;
  /**
   * Number of this destination's backups that are encrypted with a password. For the backups that are
   * encrypted for recipients, `recipients` contains the public keys.
   */
  password_count: number;
  recipients: string[];
  /** Servers whose agents stored backups at this destination, as `label (address)`. */
  servers: string[];
}

/** Returns the destinations of all workspaces, with stats of their backups. */
export function kitDestinations(sql: Sql): Promise<KitDestinationRow[]> {
  return sql<KitDestinationRow[]>`
    select d.*, u.email as owner, count(b.id) as backups_count, max(b.created_at) as newest_backup_at,
      count(b.id) filter (where b.encryption = 'password') as password_count,
      coalesce((select array_agg(distinct key order by key) from backups r, unnest(r.encryption_recipients) key
        where r.backup_destination_id = d.id), '{}') as recipients,
      coalesce((select array_agg(distinct ${serverName(sql)} order by ${serverName(sql)})
        from backups h join remote_servers s on s.id = h.remote_server_id
        where h.backup_destination_id = d.id and h.removal_requested_at is null), '{}') as servers
    from backup_destinations d join users u on u.id = d.user_id
    left join backups b on b.backup_destination_id = d.id and b.removal_requested_at is null
    group by d.id, u.email order by d.id`;
}

function serverName(sql: Sql) {
  return sql`s.label || ' (' || s.ip_address || ')'`;
}

export interface KitControlPlaneRow {
  backup_destination_id: number;
  /** Server whose agent stored the backup, as `label (address)`; null once the server is deleted. */
  server: string | null;
  directory: string;
  file_name: string;
  encryption: "none" | "password" | "recipients";
  created_at: Date;
}

/**
 * Returns the newest backup of the control plane at each destination. For a destination on servers' own
 * disks, returns the newest backup on each server's disk.
 */
export function kitControlPlanes(sql: Sql): Promise<KitControlPlaneRow[]> {
  return sql<KitControlPlaneRow[]>`
    select distinct on (b.backup_destination_id, disk.id)
      b.backup_destination_id, b.directory, b.file_name, b.encryption, b.created_at, ${
    serverName(sql)
  } as server
    from backups b join backup_destinations d on d.id = b.backup_destination_id
    left join remote_servers s on s.id = b.remote_server_id
    cross join lateral (
      select case when d.type = any(${typesOfReach("server")}) then b.remote_server_id end as id
    ) disk
    where b.engine = ${control_plane.engine} and b.removal_requested_at is null
    order by b.backup_destination_id, disk.id, b.created_at desc`;
}
