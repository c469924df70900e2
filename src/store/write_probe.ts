/** A write that needs room, to find out whether the database stores again. */
import { databaseTrouble } from "../domain/database_trouble.ts";
import type { Database } from "./database.ts";
import { beginOnce } from "./lost_transactions.ts";
import { endWriteTrouble, hasWriteTrouble } from "./write_trouble.ts";

/**
 * Returns one sentence where nothing can be stored; null where there is no trouble, or no longer: while there was, each call tries to
 * write something that needs room, and takes it back.
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
