/** Stores the space that agents measure at destinations. */
import type { Sql } from "../database/sql.ts";

/** Free and total space, in bytes. */
interface Space {
  readonly free: number;
  readonly total: number;
}

/**
 * Stores the space of a destination. Does nothing if another transaction has locked the destination. This
 * function does not wait for the lock. If it waited, two transactions that each change several destinations
 * could block each other.
 */
export async function storeSpace(
  sql: Sql,
  id: number,
  { free, total }: Space,
  now: Date,
): Promise<void> {
  await sql`
    update backup_destinations
    set space_free_bytes = ${free}, space_total_bytes = ${total}, space_measured_at = ${now}
    where id = (select id from backup_destinations where id = ${id} for no key update skip locked)`;
}

/** Deletes the stored space of a destination, because the destination's location has changed. */
export async function clearSpace(sql: Sql, id: number): Promise<void> {
  await sql`
    update backup_destinations
    set space_free_bytes = null, space_total_bytes = null, space_measured_at = null where id = ${id}`;
}
