/** Checks and changes passwords. */
import { networkOf } from "../../domain/access/client_network.ts";
import { passwordProblem } from "../../domain/access/password.ts";
import { ConflictError, InvalidError, UnauthenticatedError } from "../../domain/errors.ts";
import { deleteChallengesOf } from "../../store/access/login_challenges.ts";
import { endSessionsOf, isKnownNetwork } from "../../store/access/sessions.ts";
import {
  findLoginUser,
  lockLoginUser,
  type LoginUserRow,
  replaceHash,
  storePassword,
} from "../../store/access/user_passwords.ts";
import { findUser } from "../../store/access/users.ts";
import { transaction } from "../../store/database/database.ts";
import { notify } from "../../store/database/event_bus.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { Caller, ServiceContext } from "../context.ts";
import type { LoginAttempt } from "./login_throttle.ts";

/**
 * The message for an unknown account, a wrong password, an account without password, and a deleted user. All
 * four get the same message, so that nobody can tell these cases apart.
 */
export const WRONG_PASSWORD = "The email address or the password is wrong.";

export interface PasswordLogin {
  readonly email: string;
  readonly password: string;
}

/**
 * Returns the user with this email address if the password is right. If the parameters of the stored hash are
 * outdated, stores a new hash. Every refusal takes as long as the computation of one hash, and has the same
 * message.
 */
export async function verifyPassword(
  services: ServiceContext,
  { email, password }: PasswordLogin,
  address: string | null,
): Promise<LoginUserRow> {
  const { database, passwords } = services;
  const attempt = await beginAttempt(services, email, address);
  const user = await findLoginUser(database, email);
  const fits = await passwords.verify(user?.hash ?? null, password);
  if (user === undefined || !fits) {
    const reason = "The password is wrong.";
    throw new UnauthenticatedError(WRONG_PASSWORD, user === undefined ? null : { userId: user.id, reason });
  }
  attempt.withdraw();
  if (passwords.isCurrent(user.hash!)) return user;
  const hash = await passwords.hash(password);
  await replaceHash(database, user.id, user.hash!, hash);
  return { ...user, hash };
}

/** Counts an attempt to log in. Throws a `ThrottledError` if the account or the address has to wait. */
export async function beginAttempt(
  { database, loginThrottle }: ServiceContext,
  email: string,
  address: string | null,
): Promise<LoginAttempt> {
  const isKnown = address !== null && await isKnownNetwork(database, email, networkOf(address));
  return loginThrottle.begin(email, address, isKnown);
}

/**
 * Changes the caller's password, and ends the caller's other sessions. Throws an {@link InvalidError} if the
 * current password is wrong or the new one is refused.
 */
export async function changePassword(
  services: ServiceContext,
  caller: Caller,
  change: { currentPassword: string; password: string },
  address: string | null,
): Promise<void> {
  const { currentPassword: password } = change;
  const user = await verifyOwnPassword(services, caller, { field: "current_password", password }, address);
  refuseWeak(change.password, user.email);
  const hash = await services.passwords.hash(change.password);
  await transaction(services.database, async (sql) => {
    const locked = await lockLoginUser(sql, caller.userId);
    if (locked?.hash !== user.hash) throw new ConflictError("The password was changed meanwhile; try again.");
    const kept = caller.credential.kind === "session" ? caller.credential.id : null;
    await setPassword(services, sql, { userId: caller.userId, hash, kept });
  });
}

/**
 * Stores a new password, and ends the user's sessions except the one with the id `kept`. If `kept` is null,
 * ends all of them.
 */
export async function setPassword(
  services: ServiceContext,
  sql: Sql,
  { userId, hash, kept }: { userId: number; hash: string; kept: number | null },
): Promise<void> {
  const now = services.clock.now();
  await storePassword(sql, userId, hash, now);
  await deleteChallengesOf(sql, userId, "second_factor");
  await endSessionsOf(sql, userId, now, kept);
  await notify(sql, { topic: "tokens_changed", user_id: userId });
}

/** Throws an {@link InvalidError} if the rules for passwords refuse a new password. */
export function refuseWeak(password: string, email: string): void {
  const problem = passwordProblem(password, email);
  if (problem !== null) throw new InvalidError({ password: [`The password field ${problem}.`] });
}

/**
 * Returns the caller's user if the password is right. If it is wrong, throws an {@link InvalidError} that
 * names `field`.
 */
export async function verifyOwnPassword(
  services: ServiceContext,
  caller: Caller,
  { field, password }: { field: string; password: string },
  address: string | null,
): Promise<LoginUserRow> {
  const own = await findUser(services.database, caller.userId);
  if (own === undefined) throw new UnauthenticatedError();
  try {
    return await verifyPassword(services, { email: own.email, password }, address);
  } catch (error) {
    if (!(error instanceof UnauthenticatedError)) throw error;
    throw new InvalidError({ [field]: ["The password is wrong."] });
  }
}
