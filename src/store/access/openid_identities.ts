/** Stores which person at an OpenID Connect provider is which user. */
import type { Sql } from "../database/sql.ts";

interface Subject {
  readonly issuer: string;
  readonly subject: string;
}

/**
 * Returns the id of the user who is linked to a subject, and records the use. Returns null if no user is
 * linked.
 */
export async function useIdentity(sql: Sql, { issuer, subject }: Subject, now: Date): Promise<number | null> {
  const [row] = await sql<{ user_id: number }[]>`
    update openid_identities set last_used_at = ${now}
    where issuer = ${issuer} and subject = ${subject} returning user_id`;
  return row?.user_id ?? null;
}

/**
 * Links a subject to a user. Returns false if the subject is linked already, or the user is linked to another
 * subject of this issuer.
 */
export async function insertIdentity(
  sql: Sql,
  userId: number,
  { issuer, subject }: Subject,
  now: Date,
): Promise<boolean> {
  const row = { user_id: userId, issuer, subject, created_at: now, last_used_at: now };
  const { count } = await sql`insert into openid_identities ${sql(row)} on conflict do nothing`;
  return count === 1;
}
