/** Deletes expired rows. */
import type { Sql } from "../database/sql.ts";

export async function deleteIdempotencyKeysBefore(sql: Sql, before: Date): Promise<void> {
  await sql`delete from idempotency_keys where created_at < ${before}`;
}

export async function deleteEnrolmentTokensExpiredBefore(sql: Sql, before: Date): Promise<void> {
  await sql`delete from enrolment_tokens where expires_at < ${before}`;
}
