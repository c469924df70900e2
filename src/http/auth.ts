/** Who calls, and whether their token allows it. */
import type { Ability } from "../domain/abilities.ts";
import { ForbiddenError, UnauthenticatedError } from "../domain/errors.ts";
import type { Caller, ServiceContext } from "../services/context.ts";
import { authenticate } from "../services/access/tokens.ts";

/** Throws an `UnauthenticatedError` unless the request shows a good token. */
export function callerOf(services: ServiceContext, request: Request): Promise<Caller> {
  return authenticate(services, bearerToken(request));
}

/** The text behind `Authorization: Bearer`; throws an `UnauthenticatedError` where there is none. */
export function bearerToken(request: Request): string {
  const token = shownToken(request);
  if (token === null) throw new UnauthenticatedError();
  return token;
}

/** The same; null where there is none. */
export function shownToken(request: Request): string | null {
  return /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? null;
}

/** Throws a `ForbiddenError` that names the missing ability. */
export function requireAbility(caller: Caller, ability: Ability): void {
  if (!caller.abilities.has(ability)) {
    throw new ForbiddenError(`This token lacks the ${ability} ability.`);
  }
}
