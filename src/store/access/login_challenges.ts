/** Stores the hashes of secrets that work only once and for a short time. */
import type { Sql } from "../database/sql.ts";

/**
 * What the secret of a challenge is for. `setup` is a link with which a user sets a password. `second_factor`
 * is a log-in with the right password that still needs a second factor. `openid` is a log-in whose user has
 * been sent to the OpenID Connect provider.
 */
export type ChallengePurpose = "setup" | "second_factor" | "passkey" | "openid";

export interface ChallengeRow {
  id: number;
  purpose: ChallengePurpose;
  user_id: number | null;
  data: Record<string, unknown>;
  expires_at: Date;
}

export async function insertChallenge(
  sql: Sql,
  challenge: Omit<ChallengeRow, "id"> & { token_hash: string; created_at: Date },
): Promise<void> {
  await sql`insert into login_challenges ${sql({ ...challenge, data: sql.json(challenge.data as never) })}`;
}

/** Returns the challenge with this hash; undefined if there is none or it has expired. */
export async function findChallenge(
  sql: Sql,
  purpose: ChallengePurpose,
  tokenHash: string,
  now: Date,
): Promise<ChallengeRow | undefined> {
  const [row] = await sql<ChallengeRow[]>`
    select id, purpose, user_id, data, expires_at from login_challenges
    where token_hash = ${tokenHash} and purpose = ${purpose} and expires_at > ${now}`;
  return row;
}

/**
 * Deletes the challenge with this hash and returns it, so that its secret works only once. Returns undefined
 * if there is none or it has expired.
 */
export async function takeChallenge(
  sql: Sql,
  purpose: ChallengePurpose,
  tokenHash: string,
  now: Date,
): Promise<ChallengeRow | undefined> {
  const [row] = await sql<ChallengeRow[]>`
    delete from login_challenges
    where token_hash = ${tokenHash} and purpose = ${purpose} and expires_at > ${now}
    returning id, purpose, user_id, data, expires_at`;
  return row;
}

/**
 * Counts an attempt to use the challenge, and returns the challenge. Returns undefined if the challenge has
 * expired or was already tried `most` times.
 */
export async function tryChallenge(
  sql: Sql,
  purpose: ChallengePurpose,
  tokenHash: string,
  { now, most }: { now: Date; most: number },
): Promise<ChallengeRow | undefined> {
  const tries = sql`coalesce((data ->> 'tries')::integer, 0)`;
  const [row] = await sql<ChallengeRow[]>`
    update login_challenges set data = data || jsonb_build_object('tries', ${tries} + 1)
    where token_hash = ${tokenHash} and purpose = ${purpose} and expires_at > ${now} and ${tries} < ${most}
    returning id, purpose, user_id, data, expires_at`;
  return row;
}

/**
 * Records that a challenge of a passkey was used. The record stays until the challenge expires. Returns false
 * if the challenge was used before.
 */
export async function spendChallenge(
  sql: Sql,
  { token_hash, now, expiresAt }: { token_hash: string; now: Date; expiresAt: Date },
): Promise<boolean> {
  const spent = { purpose: "passkey", token_hash, created_at: now, expires_at: expiresAt };
  const { count } = await sql`insert into login_challenges ${sql(spent)} on conflict (token_hash) do nothing`;
  return count === 1;
}

/** Counts the challenges of one purpose that a client's network has. Expired challenges are not counted. */
export async function countChallengesFrom(
  sql: Sql,
  purpose: ChallengePurpose,
  network: string,
  now: Date,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from login_challenges
    where purpose = ${purpose} and data ->> 'network' = ${network} and expires_at > ${now}`;
  return row!.count;
}

/** Deletes the challenges that a user has for this purpose. */
export async function deleteChallengesOf(sql: Sql, userId: number, purpose: ChallengePurpose): Promise<void> {
  await sql`delete from login_challenges where user_id = ${userId} and purpose = ${purpose}`;
}

export async function deleteChallengesExpiredBefore(sql: Sql, before: Date): Promise<void> {
  await sql`delete from login_challenges where expires_at < ${before}`;
}
