/**
 * Errors that services throw and the HTTP layer turns into responses. Messages are shown to callers and never
 * contain a secret.
 */
import type { Credential } from "./access/credential.ts";

export abstract class DomainError extends Error {
  abstract readonly kind:
    | "not_found"
    | "conflict"
    | "invalid"
    | "forbidden"
    | "unauthenticated"
    | "throttled"
    | "unavailable";
}

/**
 * The resource does not exist, or it belongs to another workspace than the caller's current one. `resource`
 * says what kind of resource it is, such as `Backup task`.
 */
export class NotFoundError extends DomainError {
  readonly kind = "not_found";
  constructor(readonly resource: string) {
    super(`${resource} not found`);
  }
}

/** The current state forbids the operation. The message says what to do next. */
export class ConflictError extends DomainError {
  readonly kind = "conflict";
}

/**
 * Input that fits the schema but breaks another rule. The keys of `errors` are field names as in the request;
 * the values are messages.
 */
export class InvalidError extends DomainError {
  readonly kind = "invalid";
  constructor(readonly errors: Record<string, string[]>) {
    super("The given data was invalid.");
  }
}

export class ForbiddenError extends DomainError {
  readonly kind = "forbidden";
}

/** The action needs a fresh log-in. The response says so, so that a client can ask for the password. */
export class StepUpRequiredError extends ForbiddenError {
  constructor() {
    super("This needs a fresh log-in: enter your password again.");
  }
}

/** There were too many attempts. The next attempt is accepted after `seconds`. */
export class ThrottledError extends DomainError {
  readonly kind = "throttled";
  constructor(readonly seconds: number) {
    super(`Too many attempts; try again in ${seconds} second${seconds === 1 ? "" : "s"}.`);
  }
}

/**
 * The caller is not authenticated. The message does not say whether the token or session is unknown, expired
 * or revoked. `refused` contains this reason, and is recorded only in the audit log.
 */
export class UnauthenticatedError extends DomainError {
  readonly kind = "unauthenticated";
  constructor(message = "Unauthenticated.", readonly refused: RefusedCredential | null = null) {
    super(message);
  }
}

/**
 * The password is right, but the log-in needs a second factor. The client has to send `challenge`, a secret,
 * together with the code.
 */
export class SecondFactorRequiredError extends UnauthenticatedError {
  constructor(readonly challenge: string, userId: number) {
    super("Enter the code of your authenticator app.", { userId, reason: "A second factor is needed." });
  }
}

/**
 * The user must set up a second factor before doing anything else. The response says this, so that a client
 * can show the right page.
 */
export class SecondFactorMissingError extends ForbiddenError {
  constructor() {
    super("Set up a second factor first: everybody must have one here.");
  }
}

/** A refused token, session or log-in of a known user. The audit log records the refusal. */
export interface RefusedCredential {
  readonly userId: number;
  /** The token or session; absent for a failed log-in. */
  readonly credential?: Credential;
  readonly reason: string;
}

/** The operation is not possible now. The same request might succeed later. */
export class UnavailableError extends DomainError {
  readonly kind = "unavailable";
}
