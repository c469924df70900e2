/**
 * What a use case refuses, as values the HTTP layer turns into the contract's answers. Messages are shown to
 * callers: they never carry a secret.
 */
export abstract class DomainError extends Error {
  abstract readonly kind:
    | "not_found"
    | "conflict"
    | "invalid"
    | "forbidden"
    | "unauthenticated"
    | "unavailable";
}

/** The resource is not there, or is somebody else's. `resource` is its name: `Backup task`. */
export class NotFoundError extends DomainError {
  readonly kind = "not_found";
  constructor(readonly resource: string) {
    super(`${resource} not found`);
  }
}

/** The state of things forbids it. The message says what to do next. */
export class ConflictError extends DomainError {
  readonly kind = "conflict";
}

/** Input that fails a rule the schema can't know. `errors`: field name, as sent, to messages. */
export class InvalidError extends DomainError {
  readonly kind = "invalid";
  constructor(readonly errors: Record<string, string[]>) {
    super("The given data was invalid.");
  }
}

export class ForbiddenError extends DomainError {
  readonly kind = "forbidden";
}

/**
 * Nobody that is known. The message tells the same whether a token is unknown, expired or revoked; `refused`
 * is for the audit log alone.
 */
export class UnauthenticatedError extends DomainError {
  readonly kind = "unauthenticated";
  constructor(message = "Unauthenticated.", readonly refused: RefusedToken | null = null) {
    super(message);
  }
}

/** An API token that was good once. */
export interface RefusedToken {
  readonly userId: number;
  readonly tokenId: number;
  readonly reason: string;
}

/** It can't be done now; the same call may go through later. */
export class UnavailableError extends DomainError {
  readonly kind = "unavailable";
}
