/** After a write to the database has failed, tests whether writes work again. */
import { databaseTrouble } from "../../domain/database/database_trouble.ts";
import type { Database } from "./sql.ts";
import { beginOnce } from "./lost_transactions.ts";
import { endWriteTrouble, hasWriteTrouble } from "./write_trouble.ts";

/**
 * Returns one sentence that says why nothing can be stored; null if writes work. After a write has failed,
 * each call tests whether writes work again. The test writes 1 MiB, because a smaller write might need no
 * disk space. Then it rolls the write back.
 */
export async function writeTrouble(database: Database): Promise<string | null> {
  if (!hasWriteTrouble(database)) return null;
  try {
    await beginOnce(database, async (sql) => {
      await sql`create temporary table rearguard_room (bytes bytea) on commit drop`;
      await sql`alter table rearguard_room alter bytes set storage external`;
      await sql`insert into rearguard_room select decode(repeat('00', 65536), 'hex') from generate_series(1, 16)`;
    });
  } catch (error) {
    const trouble = databaseTrouble(error);
    if (trouble === null) throw error;
    return trouble.sentence;
  }
  endWriteTrouble(database);
  return null;
}
