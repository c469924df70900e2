/**
 * Stores second factors: the secrets of authenticator apps, recovery codes, and whether everybody must have a
 * second factor.
 */
import type { Sql } from "../database/sql.ts";

export interface TotpRow {
  user_id: number;
  secret_encrypted: string;
  /**
   * When a code of this secret was first accepted; null if none was accepted yet. While it is null, the
   * secret is not a second factor.
   */
  confirmed_at: Date | null;
}

export async function findTotp(sql: Sql, userId: number): Promise<TotpRow | undefined> {
  const [row] = await sql<TotpRow[]>`
    select user_id, secret_encrypted, confirmed_at from totp_secrets where user_id = ${userId}`;
  return row;
}

/**
 * Stores a new secret and returns true. The new secret replaces an unconfirmed one. If the user has a
 * confirmed secret, stores nothing and returns false.
 */
export async function storeTotp(sql: Sql, userId: number, sealed: string, now: Date): Promise<boolean> {
  const { count } = await sql`
    insert into totp_secrets ${sql({ user_id: userId, secret_encrypted: sealed, created_at: now })}
    on conflict (user_id) do update set secret_encrypted = excluded.secret_encrypted,
      created_at = excluded.created_at, last_step = 0
    where totp_secrets.confirmed_at is null`;
  return count === 1;
}

/**
 * Records that the code of a time step was accepted. Returns false if the code of this step, or of a later
 * one, was already accepted.
 */
export async function acceptStep(sql: Sql, userId: number, step: number): Promise<boolean> {
  const { count } = await sql`
    update totp_secrets set last_step = ${step} where user_id = ${userId} and last_step < ${step}`;
  return count === 1;
}

export async function confirmTotp(sql: Sql, userId: number, now: Date): Promise<void> {
  await sql`update totp_secrets set confirmed_at = ${now} where user_id = ${userId}`;
}

/** Deletes the user's secret and recovery codes. Returns whether there was a secret. */
export async function deleteTotp(sql: Sql, userId: number): Promise<boolean> {
  await sql`delete from recovery_codes where user_id = ${userId}`;
  const { count } = await sql`delete from totp_secrets where user_id = ${userId}`;
  return count === 1;
}

/** Replaces the user's recovery codes. */
export async function storeRecoveryCodes(
  sql: Sql,
  userId: number,
  hashes: readonly string[],
  now: Date,
): Promise<void> {
  await sql`delete from recovery_codes where user_id = ${userId}`;
  const rows = hashes.map((code_hash) => ({ user_id: userId, code_hash, created_at: now }));
  await sql`insert into recovery_codes ${sql(rows)}`;
}

/** Marks a recovery code as used. Returns false if the user has no such code, or if it was already used. */
export async function useRecoveryCode(sql: Sql, userId: number, hash: string, now: Date): Promise<boolean> {
  const { count } = await sql`
    update recovery_codes set used_at = ${now}
    where user_id = ${userId} and code_hash = ${hash} and used_at is null`;
  return count === 1;
}

/** Whether a user has a second factor, and whether everybody must have one. */
export interface SecondFactorRow {
  is_enabled: boolean;
  has_passkey: boolean;
  recovery_codes_left: number;
  is_required: boolean;
}

export async function findSecondFactor(sql: Sql, userId: number): Promise<SecondFactorRow> {
  const [row] = await sql<SecondFactorRow[]>`
    select exists(select from totp_secrets where user_id = ${userId} and confirmed_at is not null) as is_enabled,
      exists(select from passkeys where user_id = ${userId}) as has_passkey,
      (select count(*) from recovery_codes where user_id = ${userId} and used_at is null) as recovery_codes_left,
      second_factor_required as is_required
    from login_settings`;
  return row!;
}

export async function isSecondFactorRequired(sql: Sql): Promise<boolean> {
  const [row] = await sql<
    { required: boolean }[]
  >`select second_factor_required as required from login_settings`;
  return row!.required;
}

export async function setSecondFactorRequired(sql: Sql, required: boolean): Promise<void> {
  await sql`update login_settings set second_factor_required = ${required}`;
}
