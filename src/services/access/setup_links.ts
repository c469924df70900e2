/** Set-up links. With such a link, a user can set a password once, until the link expires. */
import { NotFoundError, UnauthenticatedError } from "../../domain/errors.ts";
import { SETUP_LINK_LIFETIME } from "../../domain/access/session.ts";
import {
  deleteChallengesOf,
  findChallenge,
  insertChallenge,
  takeChallenge,
} from "../../store/access/login_challenges.ts";
import { lockLoginUser } from "../../store/access/user_passwords.ts";
import { findUser, lockUser, type UserRow } from "../../store/access/users.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { deleteTotp } from "../../store/access/second_factor.ts";
import { recordActor } from "../../store/access/audited_request.ts";
import { askSecondFactor, passFirstFactor } from "./login.ts";
import { refuseWeak, setPassword } from "./passwords.ts";
import { hashSecret, newSecret } from "./secret_text.ts";
import type { LoginClient, OpenedSession } from "./sessions.ts";

const REFUSAL = "This set-up link is not valid: it was used, has expired, or was replaced by a newer one.";

export interface SetupLink {
  readonly plain: string;
  readonly expiresAt: Date;
}

/**
 * Makes a set-up link in the caller's transaction. Older links of the user stop working.
 *
 * @param resetsSecondFactor Whether the use of the link removes the user's second factor.
 */
export async function insertSetupLink(
  sql: Sql,
  userId: number,
  now: Date,
  resetsSecondFactor = false,
): Promise<SetupLink> {
  const plain = newSecret("rgl_");
  const expiresAt = new Date(now.getTime() + SETUP_LINK_LIFETIME);
  await deleteChallengesOf(sql, userId, "setup");
  await insertChallenge(sql, {
    purpose: "setup",
    user_id: userId,
    token_hash: hashSecret(plain),
    data: { resets_second_factor: resetsSecondFactor },
    created_at: now,
    expires_at: expiresAt,
  });
  return { plain, expiresAt };
}

/**
 * Returns the address of the page that a set-up link opens.
 *
 * @param url The public URL of this control plane.
 */
export function setupUrl(url: string, { plain }: SetupLink): string {
  return `${url}/login/setup?token=${plain}`;
}

/** Makes a set-up link for a user, on behalf of an administrator. */
export function createSetupLink(
  services: ServiceContext,
  _caller: Caller,
  userId: number,
  resetsSecondFactor: boolean,
): Promise<SetupLink> {
  return transaction(services.database, async (sql) => {
    const user = await lockUser(sql, userId);
    if (user === undefined) throw new NotFoundError("User");
    return await insertSetupLink(sql, userId, services.clock.now(), resetsSecondFactor);
  });
}

/**
 * Returns the user of a set-up link. Throws an {@link UnauthenticatedError} if the link does not work any
 * more.
 */
export async function setupUser(services: ServiceContext, plain: string): Promise<UserRow> {
  const { database, clock } = services;
  const link = await findChallenge(database, "setup", hashSecret(plain), clock.now());
  const user = link === undefined || link.user_id === null
    ? undefined
    : await findUser(database, link.user_id);
  if (user === undefined) throw new UnauthenticatedError(REFUSAL);
  return user;
}

/**
 * Sets the password of a set-up link's user, and ends the user's sessions. Then opens a new session, unless
 * the user still has a second factor. If the user has one, asks for it instead. Throws an
 * {@link UnauthenticatedError} if the link does not work.
 */
export async function useSetupLink(
  services: ServiceContext,
  { plain, password }: { plain: string; password: string },
  client: LoginClient,
): Promise<OpenedSession> {
  const { email } = await setupUser(services, plain);
  refuseWeak(password, email);
  const hash = await services.passwords.hash(password);
  const { userId, opened } = await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const link = await takeChallenge(sql, "setup", hashSecret(plain), now);
    const user = link === undefined || link.user_id === null
      ? undefined
      : await lockLoginUser(sql, link.user_id);
    if (user === undefined) throw new UnauthenticatedError(REFUSAL);
    await setPassword(services, sql, { userId: user.id, hash, kept: null });
    if (link!.data.resets_second_factor === true) await deleteTotp(sql, user.id);
    recordActor({ type: "unknown", userId: user.id }, "users", user.id);
    return { userId: user.id, opened: await passFirstFactor(services, sql, user.id, client) };
  });
  return opened ?? await askSecondFactor(services, userId);
}
