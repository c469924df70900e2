/**
 * Returns the address at the OpenID Connect provider to which a browser is sent, and checks the provider's
 * answer. Nothing is requested from the provider before somebody logs in with it.
 */
import type * as OpenidClient from "openid-client";
import { identityOf, type OpenidIdentity, type OpenidSettings } from "../../../domain/access/openid.ts";
import { SESSION_LIFETIME } from "../../../domain/access/session.ts";
import type { Clock } from "../../../domain/clock.ts";
import { UnauthenticatedError, UnavailableError } from "../../../domain/errors.ts";
import type { Network } from "../../../network/network.ts";
import { logger } from "../../../telemetry/logging.ts";
import { providerFetch, UnreachableError } from "./provider_requests.ts";

const log = logger("openid");

/** Time limit of a request to the provider, in seconds. */
const TIMEOUT = 5;
/** How long the provider's description of itself is used, in milliseconds. */
const DESCRIPTION_KEPT = 3_600_000;

/**
 * The secrets of one log-in. `nonce` and `state` are sent to the provider when the log-in begins. `verifier`
 * is sent only later, with the code that the provider has issued.
 */
export interface LoginSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

interface Description {
  readonly client: typeof OpenidClient;
  readonly configuration: OpenidClient.Configuration;
  readonly secret: string | null;
  readonly endsAt: number;
}

export class OpenidProvider {
  readonly #fetch: ReturnType<typeof providerFetch>;
  readonly #timeout: number;
  #description: Description | null = null;

  constructor(
    readonly settings: OpenidSettings,
    readonly clock: Clock,
    network: Network,
    { timeout = TIMEOUT }: { timeout?: number } = {},
  ) {
    this.#fetch = providerFetch(settings.issuer, network);
    this.#timeout = timeout;
  }

  /**
   * Returns the address at the provider to which a browser is sent for a log-in. Throws an
   * {@link UnavailableError} if the provider can't be used.
   *
   * @param isFresh Whether a user who is already logged in at the provider must authenticate again.
   */
  async authorizationUrl(redirectUri: string, secrets: LoginSecrets, isFresh: boolean): Promise<string> {
    const { client, configuration } = await this.#describe();
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: this.settings.scopes,
      state: secrets.state,
      nonce: secrets.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(secrets.verifier),
      code_challenge_method: "S256",
      max_age: String(isFresh ? 0 : SESSION_LIFETIME / 1000),
      ...isFresh ? { prompt: "login" } : {},
    });
    return url.href;
  }

  /**
   * Returns the person whom the provider names in its answer.
   *
   * @param answer The address to which the provider has sent the browser, including the query.
   * @throws {UnauthenticatedError} If the answer is not valid.
   * @throws {UnavailableError} If the provider can't be used.
   */
  async identify(answer: URL, { state, nonce, verifier }: LoginSecrets): Promise<OpenidIdentity> {
    const { client, configuration } = await this.#describe();
    try {
      const tokens = await client.authorizationCodeGrant(configuration, answer, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims()!;
      const { groupsClaim, grants } = this.settings;
      const isComplete = "email" in claims && (grants.length === 0 || groupsClaim in claims);
      const hasMore = configuration.serverMetadata().userinfo_endpoint !== undefined;
      const more = isComplete || !hasMore
        ? {}
        : await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
      const identity = identityOf(claims, more, groupsClaim);
      if (identity === null) throw new TypeError("the subject is not valid");
      return identity;
    } catch (error) {
      throw this.#refusal(error, client);
    }
  }

  /** Reads the provider's description of itself, and the file with the client secret. */
  async #describe(): Promise<Description> {
    const { issuer, clientId, clientSecretFile, label } = this.settings;
    try {
      const file = clientSecretFile === null ? null : (await Deno.readTextFile(clientSecretFile)).trim();
      const known = this.#description;
      if (known !== null && known.secret === file && this.clock.monotonic() < known.endsAt) return known;
      const client = await import("openid-client");
      const isPlain = new URL(issuer).protocol === "http:";
      const configuration = await client.discovery(
        new URL(issuer),
        clientId,
        {},
        file === null ? client.None() : client.ClientSecretPost(file),
        {
          timeout: this.#timeout,
          [client.customFetch]: this.#fetch as OpenidClient.CustomFetch,
          execute: [client.enableNonRepudiationChecks, ...isPlain ? [client.allowInsecureRequests] : []],
        },
      );
      const metadata = configuration.serverMetadata();
      if (new URL(metadata.issuer).href !== new URL(issuer).href) throw new Error("it names another issuer");
      const page = URL.parse(metadata.authorization_endpoint ?? "");
      if (page?.protocol !== "https:" && page?.origin !== new URL(issuer).origin) {
        throw new Error("its log-in page has no https address");
      }
      const endsAt = this.clock.monotonic() + DESCRIPTION_KEPT;
      return this.#description = { client, configuration, secret: file, endsAt };
    } catch (error) {
      this.#report(error);
      throw new UnavailableError(
        `Cannot log in with ${label}: it can't be used at the moment. Log in with your password, or try again later.`,
      );
    }
  }

  #refusal(error: unknown, client: typeof OpenidClient): Error {
    this.#report(error);
    const { label } = this.settings;
    if (error instanceof client.AuthorizationResponseError) {
      return new UnauthenticatedError(
        `${label} did not log you in. Try again, or log in with your password.`,
      );
    }
    if (error instanceof UnreachableError) {
      return new UnavailableError(
        `Cannot log in with ${label}: it does not answer. Log in with your password, or try again later.`,
      );
    }
    return new UnauthenticatedError(
      `Cannot log in with ${label}: its answer is not valid. Log in with your password; the control plane's log has the reason.`,
    );
  }

  /**
   * Logs the messages of the error and of its cause, and the error's code. Logs no other part of the cause,
   * because it might hold tokens and claims.
   */
  #report(error: unknown): void {
    const { message, error: code, cause } = error as Error & { error?: unknown };
    const inner = cause instanceof Error && cause.message !== message ? cause.message : null;
    const parts = [message, typeof code === "string" ? code.slice(0, 100) : null, inner];
    log.warning("Cannot log a user in with {issuer}: {reason}", {
      issuer: this.settings.issuer,
      reason: parts.filter((part) => part !== null).join(": "),
    });
  }
}
