/**
 * Stores when an administrator last confirmed that a copy of the recovery kit is kept elsewhere. Also stores
 * which keys and destinations the kit named at that time.
 */
import type { Sql } from "../database/sql.ts";

export interface RecoveryKitCopy {
  kept_at: Date;
  key_ids: string[];
  /** The labels of the destinations, by their ids. */
  destinations: Record<string, string>;
}

export async function findRecoveryKitCopy(sql: Sql): Promise<RecoveryKitCopy | undefined> {
  const [row] = await sql<RecoveryKitCopy[]>`
    select kept_at, key_ids, destinations from recovery_kit_copies`;
  return row;
}

export async function storeRecoveryKitCopy(sql: Sql, copy: RecoveryKitCopy): Promise<void> {
  const { kept_at, key_ids, destinations } = copy;
  await sql`
    insert into recovery_kit_copies (kept_at, key_ids, destinations)
    values (${kept_at}, ${key_ids}, ${sql.json(destinations)})
    on conflict (id) do update
    set kept_at = excluded.kept_at, key_ids = excluded.key_ids, destinations = excluded.destinations`;
}

/** Returns the labels of all destinations, by their ids. */
export async function destinationLabels(sql: Sql): Promise<Record<string, string>> {
  const rows = await sql<{ id: number; label: string }[]>`select id, label from backup_destinations`;
  return Object.fromEntries(rows.map(({ id, label }) => [id, label]));
}
