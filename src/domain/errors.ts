/**
 * Errors that services throw and the HTTP layer turns into responses. Messages are shown to callers and never
 * contain a secret.
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

/** The resource does not exist, or belongs to another user. `resource` is its name, such as `Backup task`. */
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

/**
 * The caller is not authenticated. The message is the same for an unknown, an expired and a revoked token;
 * `refused` is recorded only in the audit log.
 */
export class UnauthenticatedError extends DomainError {
  readonly kind = "unauthenticated";
  constructor(message = "Unauthenticated.", readonly refused: RefusedToken | null = null) {
    super(message);
  }
}

/** A token that has expired or was revoked, as the audit log records it. */
export interface RefusedToken {
  readonly userId: number;
  readonly tokenId: number;
  readonly reason: string;
}

/** The operation is not possible now. The same request may succeed later. */
export class UnavailableError extends DomainError {
  readonly kind = "unavailable";
}
