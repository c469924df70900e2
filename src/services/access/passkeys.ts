/** Passkeys (WebAuthn): users register them, and log in with them without an email address or a password. */
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import { PASSKEY_TIME } from "../../domain/access/session.ts";
import { ConflictError, InvalidError, NotFoundError, UnauthenticatedError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import { recordCreated } from "../../store/access/audited_request.ts";
import { spendChallenge } from "../../store/access/login_challenges.ts";
import * as store from "../../store/access/passkeys.ts";
import { findSecondFactor } from "../../store/access/second_factor.ts";
import { findUser } from "../../store/access/users.ts";
import { transaction } from "../../store/database/database.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { recordLogin } from "./login.ts";
import { hashSecret } from "./secret_text.ts";
import { type LoginClient, type OpenedSession, openSession } from "./sessions.ts";

export type { PasskeyRow } from "../../store/access/passkeys.ts";

/** Maximum number of passkeys of a user. */
const MAX_PASSKEYS = 20;
const REFUSAL = "The passkey was not accepted. Try again.";

/**
 * Returns the WebAuthn names of a control plane with this URL: its origin, and the id of the relying party.
 */
function partyOf(url: string): { expectedOrigin: string; expectedRPID: string } {
  const { origin, hostname } = new URL(url);
  return { expectedOrigin: origin, expectedRPID: hostname };
}

/**
 * A challenge for a passkey. The control plane encrypts the challenge and sends it to the browser instead of
 * storing it. So strangers who request many challenges do not fill the database. Only a used challenge is
 * stored.
 */
interface Challenge {
  /** The user who registers a passkey; null for a log-in. */
  readonly userId: number | null;
  readonly expiresAt: number;
}

function newChallenge({ clock, keyring }: ServiceContext, userId: number | null): string {
  const challenge: Challenge = { userId, expiresAt: clock.now().getTime() + PASSKEY_TIME };
  return keyring.encrypt(JSON.stringify(challenge));
}

/**
 * Returns a function that checks a challenge from {@link newChallenge}. The function takes the challenge in
 * base64url. It returns true once for a valid challenge. It returns false if the challenge is for another
 * user, has expired or was used before.
 */
function acceptOnce({ clock, keyring }: ServiceContext, sql: Sql, userId: number | null) {
  return async (encoded: string): Promise<boolean> => {
    const sealed = new TextDecoder().decode(Uint8Array.fromBase64(encoded, { alphabet: "base64url" }));
    const challenge = JSON.parse(keyring.decrypt(sealed)) as Challenge;
    const now = clock.now();
    if (challenge.userId !== userId || challenge.expiresAt <= now.getTime()) return false;
    const token_hash = hashSecret(encoded);
    return await spendChallenge(sql, { token_hash, now, expiresAt: new Date(challenge.expiresAt) });
  };
}

/** Returns the options with which the caller's browser makes a passkey. */
export async function registrationOptions(services: ServiceContext, caller: Caller, url: string) {
  const user = (await findUser(services.database, caller.userId))!;
  const known = await store.passkeysOf(services.database, caller.userId);
  if (known.length >= MAX_PASSKEYS) {
    throw new ConflictError(`Cannot add a passkey: you have ${known.length}. Remove one first.`);
  }
  return await generateRegistrationOptions({
    rpName: "Rearguard",
    rpID: partyOf(url).expectedRPID,
    userName: user.email,
    userDisplayName: user.name,
    userID: new TextEncoder().encode(`user ${user.id}`),
    challenge: newChallenge(services, user.id),
    excludeCredentials: known.map(({ credential_id }) => ({ id: credential_id })),
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
  });
}

/** Stores a passkey of the caller. Throws an {@link InvalidError} if the browser's response is not valid. */
export async function addPasskey(
  services: ServiceContext,
  caller: Caller,
  { name, response }: { name: string; response: unknown },
  url: string,
): Promise<store.PasskeyRow> {
  return await transaction(services.database, async (sql) => {
    const verified = await verifyRegistrationResponse({
      ...partyOf(url),
      response: response as RegistrationResponseJSON,
      expectedChallenge: acceptOnce(services, sql, caller.userId),
      requireUserVerification: true,
    }).catch(() => null);
    if (verified?.verified !== true) throw new InvalidError({ response: [REFUSAL] });
    const { credential } = verified.registrationInfo;
    if (await store.lockPasskey(sql, credential.id) !== undefined) {
      throw new ConflictError("This passkey is registered already.");
    }
    const row = await store.insertPasskey(sql, {
      user_id: caller.userId,
      name,
      credential_id: credential.id,
      public_key: credential.publicKey,
      counter: credential.counter,
      transports: credential.transports ?? [],
      created_at: services.clock.now(),
    });
    recordCreated(row.id);
    return row;
  });
}

/**
 * Returns the options with which a browser lets its user choose a passkey. They name no user, because nobody
 * is logged in yet.
 */
export async function loginOptions(services: ServiceContext, url: string) {
  return await generateAuthenticationOptions({
    rpID: partyOf(url).expectedRPID,
    challenge: newChallenge(services, null),
    userVerification: "required",
  });
}

/**
 * Opens a session for the user of a passkey. The authenticator has verified the user, so no second factor is
 * asked. If anything is wrong, throws an {@link UnauthenticatedError} with the same message for every fault.
 */
export async function logInWithPasskey(
  services: ServiceContext,
  { response, url }: { response: unknown; url: string },
  client: LoginClient,
): Promise<OpenedSession> {
  const login = response as AuthenticationResponseJSON;
  return await transaction(services.database, async (sql) => {
    const passkey = typeof login.id === "string" ? await store.lockPasskey(sql, login.id) : undefined;
    if (passkey === undefined) throw new UnauthenticatedError(REFUSAL);
    const { credential_id: id, public_key: publicKey, counter } = passkey;
    const verified = await verifyAuthenticationResponse({
      ...partyOf(url),
      response: login,
      expectedChallenge: acceptOnce(services, sql, null),
      credential: { id, publicKey: new Uint8Array(publicKey), counter },
      requireUserVerification: true,
    }).catch(() => null);
    if (verified?.verified !== true) {
      throw new UnauthenticatedError(REFUSAL, { userId: passkey.user_id, reason: REFUSAL });
    }
    const now = services.clock.now();
    await store.touchPasskey(sql, passkey.id, verified.authenticationInfo.newCounter, now);
    const opened = await openSession(sql, passkey.user_id, client, now);
    recordLogin(opened);
    return opened;
  });
}

export function listPasskeys(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
  choice: ListOrder = {},
): Promise<Page<store.PasskeyRow>> {
  return store.listPasskeys(services.database, caller.userId, window, choice);
}

/**
 * Deletes a passkey of the caller. Throws a {@link ConflictError} if a second factor is required and this
 * passkey is the last one.
 */
export async function deletePasskey(services: ServiceContext, caller: Caller, id: number): Promise<void> {
  await transaction(services.database, async (sql) => {
    if (!await store.deletePasskey(sql, caller.userId, id)) throw new NotFoundError("Passkey");
    const { is_enabled, is_required, has_passkey } = await findSecondFactor(sql, caller.userId);
    if (is_enabled || has_passkey || !is_required) return;
    throw new ConflictError("Cannot remove the last second factor: everybody must have one here.");
  });
}
