/** What a person must know to find every backup without the control plane. */
import type { BackupDestinationRow } from "./backup_destinations.ts";
import type { Sql } from "./database.ts";

export interface KitDestinationRow extends BackupDestinationRow {
  owner: string;
  backups_count: number;
  newest_backup_at: Date | null;
  /** What of its backups is encrypted with a password, and to recipients. */
  password_count: number;
  recipients: string[];
}

/** Of every user. */
export function kitDestinations(sql: Sql): Promise<KitDestinationRow[]> {
  return sql<KitDestinationRow[]>`
    select d.*, u.email as owner, count(b.id) as backups_count, max(b.created_at) as newest_backup_at,
      count(b.id) filter (where b.encryption = 'password') as password_count,
      coalesce((select array_agg(distinct key order by key) from backups r, unnest(r.encryption_recipients) key
        where r.backup_destination_id = d.id), '{}') as recipients
    from backup_destinations d join users u on u.id = d.user_id
    left join backups b on b.backup_destination_id = d.id and b.removal_requested_at is null
    group by d.id, u.email order by d.id`;
}

export interface KitControlPlaneRow {
  backup_destination_id: number;
  directory: string;
  file_name: string;
  encryption: "none" | "password" | "recipients";
  created_at: Date;
}

/** The newest backup of the control plane at each destination. */
export function kitControlPlanes(sql: Sql): Promise<KitControlPlaneRow[]> {
  return sql<KitControlPlaneRow[]>`
    select distinct on (backup_destination_id)
      backup_destination_id, directory, file_name, encryption, created_at
    from backups where engine = 'rearguard' and removal_requested_at is null
    order by backup_destination_id, created_at desc`;
}
