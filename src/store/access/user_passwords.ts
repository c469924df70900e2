/** Stores the hashes of users' passwords. */
import type { Sql } from "../database/sql.ts";

/**
 * The columns of a user that are needed to check a password. `hash` is null for a user without a password.
 */
export interface LoginUserRow {
  id: number;
  email: string;
  hash: string | null;
}

/**
 * Returns the user with this email address, ignoring case; undefined if there is none or the user is in the
 * trash.
 */
export async function findLoginUser(sql: Sql, email: string): Promise<LoginUserRow | undefined> {
  const [row] = await sql<LoginUserRow[]>`
    select u.id, u.email, p.hash from users u left join user_passwords p on p.user_id = u.id
    where lower(u.email) = lower(${email}) and u.deletes_at is null`;
  return row;
}

/**
 * Locks the user until the transaction ends, and returns the user; undefined if the user is in the trash or
 * does not exist.
 */
export async function lockLoginUser(sql: Sql, id: number): Promise<LoginUserRow | undefined> {
  const [row] = await sql<LoginUserRow[]>`
    select u.id, u.email, p.hash from users u left join user_passwords p on p.user_id = u.id
    where u.id = ${id} and u.deletes_at is null for update of u`;
  return row;
}

export async function storePassword(sql: Sql, userId: number, hash: string, now: Date): Promise<void> {
  await sql`
    insert into user_passwords ${sql({ user_id: userId, hash, changed_at: now })}
    on conflict (user_id) do update set hash = excluded.hash, changed_at = excluded.changed_at`;
}

/**
 * Replaces the hash `before` by `after`, a hash of the same password with newer parameters. Does nothing if
 * the stored hash is no longer `before`.
 */
export async function replaceHash(sql: Sql, userId: number, before: string, after: string): Promise<void> {
  await sql`update user_passwords set hash = ${after} where user_id = ${userId} and hash = ${before}`;
}
