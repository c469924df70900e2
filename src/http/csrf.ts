/**
 * Protects users of browsers from pages of other sites. Such a page can send requests with the user's
 * cookie. So a request that might change something must come from a page of this host. It also needs a token
 * if an HTML form could send it.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { ForbiddenError } from "../domain/errors.ts";

/**
 * The request header that contains the token. Pages of the control plane put the token into a hidden field of
 * their forms.
 */
const HEADER = "x-csrf-token";

/** Returns the token that belongs to a session's secret. The secret cannot be computed from the token. */
export function csrfToken(session: string): string {
  return createHmac("sha256", session).update("rearguard csrf").digest("base64url");
}

/**
 * Checks a request that has a session's cookie. Throws a {@link ForbiddenError} if another site might have
 * made the request.
 *
 * @param publicUrl The URL at which browsers reach this control plane; if null, the request's `Host` header
 *   names the host.
 */
export function requireSameSite(request: Request, session: string, publicUrl: string | null): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  if (originOf(request, publicUrl) !== "own") throw new ForbiddenError(REFUSAL);
  const given = request.headers.get(HEADER);
  // No token is needed for JSON, because a form cannot send it. Scripts of other sites can send JSON only
  // with this host's permission, and this host never gives it.
  if (given === null && /^application\/json\b/i.test(request.headers.get("content-type") ?? "")) return;
  if (!isEqual(given ?? "", csrfToken(session))) throw new ForbiddenError(REFUSAL);
}

/** Throws a {@link ForbiddenError} if a page of another site has made the request. */
export function refuseOtherSites(request: Request, publicUrl: string | null): void {
  if (originOf(request, publicUrl) === "foreign") throw new ForbiddenError(REFUSAL);
}

const REFUSAL =
  "This request does not come from a page of this control plane. Reload the page and try again.";

/**
 * Returns which site's page has made the request: this site's (`own`) or another site's (`foreign`).
 * `unknown` means that the client is no browser, or a very old one.
 */
function originOf(request: Request, publicUrl: string | null): "own" | "foreign" | "unknown" {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin" ? "own" : "foreign";
  const origin = request.headers.get("origin");
  if (origin === null) return "unknown";
  if (publicUrl !== null && origin === new URL(publicUrl).origin) return "own";
  return URL.canParse(origin) && new URL(origin).host === new URL(request.url).host ? "own" : "foreign";
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [new TextEncoder().encode(given), new TextEncoder().encode(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
