/** Authenticates callers by what they present: an API token, or the cookie of a session. */
import type { Caller, ServiceContext } from "../context.ts";
import { authenticateSession, recheckSession } from "./sessions.ts";
import { authenticateToken, recheckToken } from "./tokens.ts";

/** The secret in a request: an API token, or the value of a session's cookie. */
export interface PresentedSecret {
  readonly kind: "token" | "session";
  readonly text: string;
}

/** Returns the caller, or throws an `UnauthenticatedError`. */
export function authenticate(services: ServiceContext, { kind, text }: PresentedSecret): Promise<Caller> {
  return kind === "token" ? authenticateToken(services, text) : authenticateSession(services, text);
}

/**
 * Reads the caller's token or session again. Returns what it permits now and when it expires; null if it is
 * no longer valid.
 */
export function recheckCaller(
  services: ServiceContext,
  { credential: { kind, id } }: Caller,
): Promise<{ caller: Caller; expiresAt: Date | null } | null> {
  return kind === "token" ? recheckToken(services, id) : recheckSession(services, id);
}
