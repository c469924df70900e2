/**
 * Logs users in with an OpenID Connect provider. A log-in begins in a browser. The browser gets a secret in a
 * cookie. The log-in continues at the provider. It can be completed only once, and only in the same browser.
 */
import { createHmac } from "node:crypto";
import { networkOf } from "../../../domain/access/client_network.ts";
import { FRESH_LOGIN, OPENID_LOGIN_TIME } from "../../../domain/access/session.ts";
import { NotFoundError, ThrottledError, UnauthenticatedError } from "../../../domain/errors.ts";
import {
  countChallengesFrom,
  insertChallenge,
  takeChallenge,
} from "../../../store/access/login_challenges.ts";
import { lockUser } from "../../../store/access/users.ts";
import { transaction } from "../../../store/database/database.ts";
import type { ServiceContext } from "../../context.ts";
import { askSecondFactor, passFirstFactor } from "../login.ts";
import { hashSecret, newSecret } from "../secret_text.ts";
import type { LoginClient, OpenedSession } from "../sessions.ts";
import { accountOf } from "./accounts.ts";
import type { LoginSecrets, OpenidProvider } from "./provider.ts";
import { applyGroups } from "./rights.ts";

/** Maximum number of unfinished log-ins from one network. */
const MAX_UNFINISHED = 60;
const REFUSAL = "This log-in has expired, was used already, or began in another browser. Log in again.";

/** Returns the provider's name for the log-in page; null if there is no provider. */
export function openidLabel({ openid }: ServiceContext): string | null {
  return openid?.settings.label ?? null;
}

/** A log-in that has begun: where the browser is sent, and the secret for its cookie. */
export interface OpenidLogin {
  readonly url: string;
  readonly secret: string;
}

/**
 * Begins a log-in.
 *
 * @param login.redirectUri An address of this control plane. The provider sends the browser back to it.
 * @param login.note Text that follows the first full stop of the `state` parameter. The provider sends the
 *   parameter back. If the text was changed, the log-in is refused.
 * @param login.isFresh Whether the user has to authenticate at the provider again.
 */
export async function beginOpenidLogin(
  services: ServiceContext,
  login: { redirectUri: string; note: string; isFresh: boolean },
  address: string | null,
): Promise<OpenidLogin> {
  const provider = providerOf(services);
  const { clock, database } = services;
  const network = address === null ? "unknown" : networkOf(address);
  if (await countChallengesFrom(database, "openid", network, clock.now()) >= MAX_UNFINISHED) {
    throw new ThrottledError(60);
  }
  const secret = newSecret("rgl_");
  const state = `${newSecret("rgl_")}.${login.note}`;
  const url = await provider.authorizationUrl(login.redirectUri, secretsOf(state, secret), login.isFresh);
  const now = clock.now();
  await insertChallenge(database, {
    purpose: "openid",
    user_id: null,
    token_hash: challengeHash(state, secret),
    data: { network },
    created_at: now,
    expires_at: new Date(now.getTime() + OPENID_LOGIN_TIME),
  });
  return { url, secret };
}

/**
 * Opens a session for the user whom the provider has identified. The provider counts as the first factor. If
 * the user has a second factor here, opens no session, but asks for the second factor.
 *
 * @param answer The address to which the provider has sent the browser, with its query.
 * @param secret The secret in the browser's cookie; null if there is none.
 */
export async function finishOpenidLogin(
  services: ServiceContext,
  { answer, secret }: { answer: URL; secret: string | null },
  client: LoginClient,
): Promise<OpenedSession> {
  const provider = providerOf(services);
  const { clock, database } = services;
  const states = answer.searchParams.getAll("state");
  const hash = challengeHash(states[0] ?? "", secret ?? "");
  const challenge = states.length === 1 && secret !== null
    ? await takeChallenge(database, "openid", hash, clock.now())
    : undefined;
  if (challenge === undefined) throw new UnauthenticatedError(REFUSAL);
  const identity = await provider.identify(answer, secretsOf(states[0]!, secret!));
  const { id } = await accountOf(services, provider.settings, identity);
  await applyGroups(services, id, provider.settings.grants, identity.groups);
  // If the provider does not say when the user authenticated, the log-in does not count as fresh.
  const authenticatedAt = new Date(clock.now().getTime() - (identity.age ?? FRESH_LOGIN));
  const opened = await transaction(database, async (sql) => {
    if (await lockUser(sql, id) === undefined) throw new UnauthenticatedError(REFUSAL);
    return await passFirstFactor(services, sql, id, client, authenticatedAt);
  });
  return opened ?? await askSecondFactor(services, id, authenticatedAt);
}

function providerOf({ openid }: ServiceContext): OpenidProvider {
  if (openid === null) throw new NotFoundError("OpenID Connect provider");
  return openid;
}

/**
 * Returns a hash of the state and the browser's secret. Only the browser that began the log-in has the
 * secret, so no other browser can use the state.
 */
function challengeHash(state: string, secret: string): string {
  return hashSecret(`${secret} ${state}`);
}

/**
 * Returns the secrets of a log-in. The nonce and the PKCE verifier are derived from the browser's secret and
 * the state, so neither of the two is stored.
 */
function secretsOf(state: string, secret: string): LoginSecrets {
  const derive = (use: string) =>
    createHmac("sha256", secret).update(`rearguard openid ${use} ${state}`).digest("base64url");
  return { state, nonce: derive("nonce"), verifier: derive("verifier") };
}
