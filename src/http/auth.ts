/** Authenticates callers and checks what they are allowed to do. */
import { lackingOf } from "../services/access/lacking.ts";
import { ForbiddenError, UnauthenticatedError } from "../domain/errors.ts";
import { authenticate, type PresentedSecret } from "../services/access/callers.ts";
import type { Caller, ServiceContext } from "../services/context.ts";
import type { Access } from "./endpoint.ts";
import type { SecretCookie } from "./cookies.ts";

/** Returns the caller. Throws an `UnauthenticatedError` if there is no secret or the secret is not valid. */
export function callerOf(services: ServiceContext, secret: PresentedSecret | null): Promise<Caller> {
  if (secret === null) throw new UnauthenticatedError();
  return authenticate(services, secret);
}

/**
 * Returns the secret that a request presents: the token in its `Authorization` header. If the header is
 * missing, returns the session in its cookie. Returns null if the cookie is missing too.
 */
export function presentedSecret(request: Request, cookie: SecretCookie): PresentedSecret | null {
  const session = request.headers.has("authorization") ? null : cookie.read(request);
  if (session !== null) return { kind: "session", text: session };
  const token = optionalBearerToken(request);
  return token === null ? null : { kind: "token", text: token };
}

/**
 * Returns the trigger token that the request contains; null if it contains none. Looks in this order: the
 * header `X-Trigger-Token`, the header `Authorization`, the query. The query is for senders that can't set
 * headers.
 */
export function presentedTrigger(request: Request): PresentedSecret | null {
  const token = request.headers.get("x-trigger-token") ?? optionalBearerToken(request) ??
    new URL(request.url).searchParams.get("token");
  return token === null || !/^[\x21-\x7e]{1,512}$/.test(token) ? null : { kind: "token", text: token };
}

/** Returns the token of `Authorization: Bearer`. Throws an `UnauthenticatedError` if there is none. */
export function bearerToken(request: Request): string {
  const token = optionalBearerToken(request);
  if (token === null) throw new UnauthenticatedError();
  return token;
}

/** Returns the token of `Authorization: Bearer`; null if there is none. */
function optionalBearerToken(request: Request): string | null {
  return /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? null;
}

/**
 * Throws a `ForbiddenError` if the caller is not allowed to use the endpoint. The error says what the caller
 * lacks.
 */
export function requireAccess(caller: Caller, access: Exclude<Access, "agent" | "public" | "trigger">): void {
  const isSession = caller.credential.kind === "session";
  if (access === "any token" || (access === "session" && isSession)) return;
  if (access === "session") {
    throw new ForbiddenError("This needs a log-in with a browser; a token is not enough.");
  }
  if (!caller.abilities.has(access)) throw new ForbiddenError(`${lackingOf(caller, access)}.`);
}
