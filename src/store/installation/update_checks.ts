/** Stores when a control plane last looked for a newer version. */
import type { Sql } from "../database/sql.ts";

/**
 * Records that the caller looks for a newer version now. Returns false, and records nothing, if any control
 * plane has done so less than `intervalMs` ago.
 */
export async function claimUpdateCheck(sql: Sql, now: Date, intervalMs: number): Promise<boolean> {
  const before = new Date(now.getTime() - intervalMs);
  const { count } = await sql`
    insert into update_checks (checked_at) values (${now})
    on conflict (id) do update set checked_at = excluded.checked_at
      where update_checks.checked_at <= ${before}`;
  return count > 0;
}
