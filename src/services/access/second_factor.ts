/** Second factors: codes of an authenticator app (TOTP, RFC 6238), and recovery codes. */
import { Secret, TOTP } from "otpauth";
import { newRecoveryCode, plainCode, RECOVERY_CODES } from "../../domain/access/recovery_code.ts";
import { ConflictError, InvalidError } from "../../domain/errors.ts";
import { endSessionsOf } from "../../store/access/sessions.ts";
import * as store from "../../store/access/second_factor.ts";
import { findUser } from "../../store/access/users.ts";
import { transaction } from "../../store/database/database.ts";
import { notify } from "../../store/database/event_bus.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { hashSecret } from "./secret_text.ts";

export type { SecondFactorRow } from "../../store/access/second_factor.ts";

/** How long an authenticator app shows a code, in milliseconds. */
const PERIOD = 30_000;
/**
 * Besides the current code, this many earlier codes and this many later codes are accepted, because clocks
 * differ.
 */
const WINDOW = 1;

/** A new secret, for the user's authenticator app. */
export interface NewTotp {
  /** The secret in base 32, for users who type it into the app. */
  readonly secret: string;
  /** The secret in an `otpauth:` address. A page shows the address as a QR code. */
  readonly uri: string;
}

/**
 * Makes and stores a secret for the caller's authenticator app. The secret is not a second factor until
 * {@link confirmTotp} has accepted a code that was made with it.
 */
export async function startTotp(services: ServiceContext, caller: Caller): Promise<NewTotp> {
  const { clock, database, keyring } = services;
  const user = (await findUser(database, caller.userId))!;
  const totp = totpOf(new Secret({ size: 20 }).base32, user.email);
  const sealed = keyring.encrypt(totp.secret.base32);
  await transaction(database, async (sql) => {
    if (await store.storeTotp(sql, caller.userId, sealed, clock.now())) return;
    throw new ConflictError("You have an authenticator app already. Remove it first.");
  });
  return { secret: totp.secret.base32, uri: totp.toString() };
}

function totpOf(secret: string, email = ""): TOTP {
  return new TOTP({ issuer: "Rearguard", label: email, secret, period: PERIOD / 1000 });
}

/**
 * Makes the caller's new secret the second factor. Returns the recovery codes, which are not shown again.
 * Ends the caller's other sessions, because they were opened without a second factor. Throws an {@link
 * InvalidError} if `code` is wrong.
 */
export async function confirmTotp(services: ServiceContext, caller: Caller, code: string): Promise<string[]> {
  const { userId, credential } = caller;
  return await transaction(services.database, async (sql) => {
    const row = await store.findTotp(sql, userId);
    if (row === undefined || row.confirmed_at !== null) {
      throw new ConflictError("There is no new authenticator app to confirm. Begin again.");
    }
    if (!await acceptTotp(services, sql, row, code)) throw new InvalidError({ code: ["The code is wrong."] });
    await store.confirmTotp(sql, userId, services.clock.now());
    await endSessionsOf(
      sql,
      userId,
      services.clock.now(),
      credential.kind === "session" ? credential.id : null,
    );
    await notify(sql, { topic: "tokens_changed", user_id: userId });
    return await makeRecoveryCodes(services, sql, userId);
  });
}

/** Replaces the caller's recovery codes, and returns the new ones. */
export async function renewRecoveryCodes(services: ServiceContext, caller: Caller): Promise<string[]> {
  return await transaction(services.database, async (sql) => {
    if (!(await store.findSecondFactor(sql, caller.userId)).is_enabled) {
      throw new ConflictError("Recovery codes need an authenticator app. Set one up first.");
    }
    return await makeRecoveryCodes(services, sql, caller.userId);
  });
}

async function makeRecoveryCodes({ clock }: ServiceContext, sql: Sql, userId: number): Promise<string[]> {
  const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
  const hashes = codes.map((code) => hashSecret(plainCode(code)));
  await store.storeRecoveryCodes(sql, userId, hashes, clock.now());
  return codes;
}

/**
 * Removes the caller's second factor. Throws a {@link ConflictError} if the caller has none, or if everybody
 * must have one.
 */
export async function removeTotp(services: ServiceContext, caller: Caller): Promise<void> {
  await transaction(services.database, async (sql) => {
    const { is_enabled, is_required, has_passkey } = await store.findSecondFactor(sql, caller.userId);
    if (!is_enabled) throw new ConflictError("You have no authenticator app.");
    if (is_required && !has_passkey) {
      throw new ConflictError("Cannot remove the second factor: everybody must have one here.");
    }
    await store.deleteTotp(sql, caller.userId);
  });
}

/** Returns whether the user has a second factor, and whether everybody must have one. */
export function secondFactorOf(services: ServiceContext, userId: number): Promise<store.SecondFactorRow> {
  return store.findSecondFactor(services.database, userId);
}

/**
 * Accepts a code of the user's authenticator app, or a recovery code. Returns false if the code is wrong or
 * was accepted before.
 *
 * @param sql The caller's transaction.
 */
export async function acceptCode(
  services: ServiceContext,
  sql: Sql,
  userId: number,
  code: string,
): Promise<boolean> {
  const row = await store.findTotp(sql, userId);
  if (row === undefined || row.confirmed_at === null) return false;
  const plain = plainCode(code);
  if (/^\d{6}$/.test(plain)) return await acceptTotp(services, sql, row, plain);
  return await store.useRecoveryCode(sql, userId, hashSecret(plain), services.clock.now());
}

async function acceptTotp(
  { clock, keyring }: ServiceContext,
  sql: Sql,
  row: store.TotpRow,
  code: string,
): Promise<boolean> {
  const timestamp = clock.now().getTime();
  const totp = totpOf(keyring.decrypt(row.secret_encrypted));
  const delta = totp.validate({ token: plainCode(code), timestamp, window: WINDOW });
  return delta !== null && await store.acceptStep(sql, row.user_id, Math.floor(timestamp / PERIOD) + delta);
}

/** Returns whether everybody must have a second factor. */
export function isSecondFactorRequired({ database }: ServiceContext): Promise<boolean> {
  return store.isSecondFactorRequired(database);
}

/**
 * Sets whether everybody must have a second factor. Throws a {@link ConflictError} if the caller requires
 * this with a session, but has no second factor.
 */
export async function requireSecondFactor(
  services: ServiceContext,
  caller: Caller,
  isRequired: boolean,
): Promise<void> {
  await transaction(services.database, async (sql) => {
    const own = await store.findSecondFactor(sql, caller.userId);
    if (isRequired && caller.credential.kind === "session" && !own.is_enabled && !own.has_passkey) {
      throw new ConflictError("Set up a second factor of your own first.");
    }
    await store.setSecondFactorRequired(sql, isRequired);
  });
}
