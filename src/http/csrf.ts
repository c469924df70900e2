/**
 * Protects callers with a cookie from requests that other sites make in their browsers. A request that may
 * change something must come from a page of this host. What a form of another site could send needs a token,
 * too.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { ForbiddenError } from "../domain/errors.ts";

/** The header with the token. Pages put the token into a hidden field of their forms. */
const HEADER = "x-csrf-token";

/** Returns the token that belongs to a session's secret. Who has the token does not learn the secret. */
export function csrfToken(session: string): string {
  return createHmac("sha256", session).update("rearguard csrf").digest("base64url");
}

/**
 * Throws a {@link ForbiddenError} if a request with a session's cookie may have been made by another site.
 *
 * @param publicUrl The URL at which browsers reach this control plane; null: as in the `Host` header.
 */
export function requireSameSite(request: Request, session: string, publicUrl: string | null): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  if (originOf(request, publicUrl) !== "own") throw new ForbiddenError(REFUSAL);
  const given = request.headers.get(HEADER);
  // Other sites can't send JSON without permission, which this host never gives.
  if (given === null && /^application\/json\b/i.test(request.headers.get("content-type") ?? "")) return;
  if (!isEqual(given ?? "", csrfToken(session))) throw new ForbiddenError(REFUSAL);
}

/** Throws a {@link ForbiddenError} if another site's page has made a request to log in. */
export function refuseOtherSites(request: Request, publicUrl: string | null): void {
  if (originOf(request, publicUrl) === "foreign") throw new ForbiddenError(REFUSAL);
}

const REFUSAL =
  "This request does not come from a page of this control plane. Reload the page and try again.";

/** Returns whose page has made the request; `unknown` for a client that is no browser, or a very old one. */
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
