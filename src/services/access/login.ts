/**
 * Logs users in and out. A user enters the password first, and then the second factor, if the user has one.
 */
import { SECOND_FACTOR_TIME } from "../../domain/access/session.ts";
import { InvalidError, SecondFactorRequiredError, UnauthenticatedError } from "../../domain/errors.ts";
import { recordActor } from "../../store/access/audited_request.ts";
import { insertChallenge, takeChallenge, tryChallenge } from "../../store/access/login_challenges.ts";
import { findSecondFactor } from "../../store/access/second_factor.ts";
import { renewSession } from "../../store/access/sessions.ts";
import { lockLoginUser } from "../../store/access/user_passwords.ts";
import { findUser } from "../../store/access/users.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { Caller, ServiceContext } from "../context.ts";
import {
  beginAttempt,
  type PasswordLogin,
  verifyOwnPassword,
  verifyPassword,
  WRONG_PASSWORD,
} from "./passwords.ts";
import { acceptCode } from "./second_factor.ts";
import { hashSecret, newSecret } from "./secret_text.ts";
import {
  endSession,
  type LoginClient,
  type OpenedSession,
  openSession,
  type SessionRow,
} from "./sessions.ts";

/**
 * Opens a session for the user with this email address and password. If the user has a second factor, opens
 * no session and throws a {@link SecondFactorRequiredError}. For a wrong address or password, throws an
 * {@link UnauthenticatedError} that does not reveal whether the account exists. Throws a `ThrottledError`
 * after too many failures.
 */
export async function logIn(
  services: ServiceContext,
  login: PasswordLogin,
  client: LoginClient,
): Promise<OpenedSession> {
  const verified = await verifyPassword(services, login, client.address);
  const opened = await transaction(services.database, async (sql) => {
    const user = await lockLoginUser(sql, verified.id);
    // Refuse the log-in if the password was changed, or the user deleted, while the hash was computed.
    if (user?.hash !== verified.hash) throw new UnauthenticatedError(WRONG_PASSWORD);
    return await passFirstFactor(services, sql, user.id, client);
  });
  return opened ?? await askSecondFactor(services, verified.id);
}

/**
 * Opens a session for a user who has passed the first factor. The first factor is the password, a set-up
 * link, or a log-in at an OpenID Connect provider. If the user has a second factor, opens no session and
 * returns null.
 *
 * @param authenticatedAt When the user proved who they are; default: now.
 */
export async function passFirstFactor(
  services: ServiceContext,
  sql: Sql,
  userId: number,
  client: LoginClient,
  authenticatedAt?: Date,
): Promise<OpenedSession | null> {
  const { is_enabled, is_required, has_passkey } = await findSecondFactor(sql, userId);
  if (is_enabled) return null;
  if (is_required && has_passkey) {
    throw new UnauthenticatedError("Log in with your passkey: nothing else is enough here.");
  }
  const opened = await openSession(sql, userId, client, services.clock.now(), authenticatedAt);
  recordLogin(opened);
  return opened;
}

/**
 * Creates a challenge for the user's second factor. Never returns: throws a {@link SecondFactorRequiredError}
 * that contains the challenge.
 *
 * @param authenticatedAt When the user proved who they are, if that was before this log-in.
 */
export async function askSecondFactor(
  { clock, database }: ServiceContext,
  userId: number,
  authenticatedAt?: Date,
): Promise<never> {
  const challenge = newSecret("rgl_");
  const now = clock.now();
  await insertChallenge(database, {
    purpose: "second_factor",
    user_id: userId,
    token_hash: hashSecret(challenge),
    data: authenticatedAt === undefined ? {} : { authenticated_at: authenticatedAt.toISOString() },
    created_at: now,
    expires_at: new Date(now.getTime() + SECOND_FACTOR_TIME),
  });
  throw new SecondFactorRequiredError(challenge, userId);
}

const CHALLENGE_REFUSAL = "This log-in has expired, or had too many wrong codes. Log in again.";
/** Maximum number of codes that may be tried with one challenge. */
const MAX_CODES = 5;

/**
 * Opens a session for a user who has already entered the password. The user got `challenge` in return. `code`
 * comes from the user's authenticator app, or is a recovery code. Throws an {@link UnauthenticatedError} if
 * `challenge` or `code` is wrong.
 */
export async function logInWithCode(
  services: ServiceContext,
  { challenge, code }: { challenge: string; code: string },
  client: LoginClient,
): Promise<OpenedSession> {
  const { clock, database } = services;
  const tokenHash = hashSecret(challenge);
  const limits = { now: clock.now(), most: MAX_CODES };
  const tried = await tryChallenge(database, "second_factor", tokenHash, limits);
  const userId = tried?.user_id ?? null;
  const user = userId === null ? undefined : await findUser(database, userId);
  if (user === undefined) throw new UnauthenticatedError(CHALLENGE_REFUSAL);
  const attempt = await beginAttempt(services, user.email, client.address);
  const opened = await transaction(database, async (sql) => {
    const locked = await lockLoginUser(sql, user.id);
    if (locked === undefined || !await acceptCode(services, sql, user.id, code)) return null;
    if (await takeChallenge(sql, "second_factor", tokenHash, clock.now()) === undefined) {
      throw new UnauthenticatedError(CHALLENGE_REFUSAL);
    }
    const { authenticated_at: authenticatedAt } = tried!.data;
    const earlier = typeof authenticatedAt === "string" ? new Date(authenticatedAt) : undefined;
    const opened = await openSession(sql, user.id, client, clock.now(), earlier);
    recordLogin(opened);
    return opened;
  });
  if (opened === null) {
    throw new UnauthenticatedError("The code is wrong.", { userId: user.id, reason: "The code is wrong." });
  }
  attempt.withdraw();
  return opened;
}

/** Records the session as the actor of the current request. */
export function recordLogin({ row }: OpenedSession): void {
  const credential = { kind: "session", id: row.id } as const;
  recordActor({ type: "user", userId: row.user_id, credential }, "sessions", row.id);
}

/** Ends the caller's session. */
export function logOut(services: ServiceContext, caller: Caller): Promise<void> {
  return endSession(services, caller, caller.credential.id);
}

/**
 * Makes the caller's log-in count as fresh. Throws an {@link InvalidError} if the password or the code of the
 * caller's second factor is wrong.
 */
export async function stepUp(
  services: ServiceContext,
  caller: Caller,
  { password, code }: { password: string; code: string | null },
  address: string | null,
): Promise<SessionRow> {
  const user = await verifyOwnPassword(services, caller, { field: "password", password }, address);
  const isCodeNeeded = (await findSecondFactor(services.database, caller.userId)).is_enabled;
  if (isCodeNeeded && code === null) throw new InvalidError({ code: ["The code field is required."] });
  const attempt = isCodeNeeded ? await beginAttempt(services, user.email, address) : null;
  const renewed = await transaction(services.database, async (sql) => {
    if (isCodeNeeded && !await acceptCode(services, sql, caller.userId, code!)) return null;
    const row = await renewSession(sql, caller.credential.id, services.clock.now());
    if (row === undefined) throw new UnauthenticatedError();
    return row;
  });
  if (renewed === null) throw new InvalidError({ code: ["The code is wrong."] });
  attempt?.withdraw();
  return renewed;
}
