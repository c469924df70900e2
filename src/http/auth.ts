/** Authenticates callers and checks their abilities. */
import { lackingOf } from "../services/access/lacking.ts";
import type { Ability } from "../domain/abilities.ts";
import { ForbiddenError, UnauthenticatedError } from "../domain/errors.ts";
import type { Caller, ServiceContext } from "../services/context.ts";
import { authenticate } from "../services/access/tokens.ts";

/** Returns the caller. Throws an `UnauthenticatedError` unless the request has a valid token. */
export function callerOf(services: ServiceContext, request: Request): Promise<Caller> {
  return authenticate(services, bearerToken(request));
}

/** Returns the token of `Authorization: Bearer`. Throws an `UnauthenticatedError` if there is none. */
export function bearerToken(request: Request): string {
  const token = optionalBearerToken(request);
  if (token === null) throw new UnauthenticatedError();
  return token;
}

/** Returns the token of `Authorization: Bearer`; null if there is none. */
export function optionalBearerToken(request: Request): string | null {
  return /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? null;
}

/** Throws a `ForbiddenError` that names the ability, and what lacks it, if the caller does not have it. */
export function requireAbility(caller: Caller, ability: Ability): void {
  if (!caller.abilities.has(ability)) {
    throw new ForbiddenError(`${lackingOf(caller, ability)}.`);
  }
}
