/** Single-use tokens that a new agent exchanges for its own key. Only their hashes are stored. */
import type { Sql } from "../database/sql.ts";

export async function insertEnrolmentToken(
  sql: Sql,
  remoteServerId: number,
  tokenHash: string,
  expiresAt: Date,
  now: Date,
): Promise<void> {
  await sql`
    insert into enrolment_tokens (remote_server_id, token_hash, expires_at, created_at)
    values (${remoteServerId}, ${tokenHash}, ${expiresAt}, ${now})`;
}

/**
 * Marks a token as used, and returns the id of its server. Returns null if the token is unknown, expired or
 * used. If two callers pass the same token at once, only one of them gets the server.
 */
export async function consumeEnrolmentToken(sql: Sql, tokenHash: string, now: Date): Promise<number | null> {
  const [row] = await sql<{ remote_server_id: number }[]>`
    update enrolment_tokens set used_at = ${now}
    where token_hash = ${tokenHash} and used_at is null and expires_at > ${now}
    returning remote_server_id`;
  return row?.remote_server_id ?? null;
}

/** Deletes a server's expired and used tokens. */
export async function deleteSpentEnrolmentTokens(sql: Sql, remoteServerId: number, now: Date): Promise<void> {
  await sql`
    delete from enrolment_tokens
    where remote_server_id = ${remoteServerId} and (expires_at <= ${now} or used_at is not null)`;
}

/** Deletes all tokens of a server, so that nobody who has such a token can enrol an agent. */
export async function deleteEnrolmentTokens(sql: Sql, remoteServerId: number): Promise<void> {
  await sql`delete from enrolment_tokens where remote_server_id = ${remoteServerId}`;
}

export async function deleteEnrolmentTokensExpiredBefore(sql: Sql, before: Date): Promise<void> {
  await sql`delete from enrolment_tokens where expires_at < ${before}`;
}
