/** Converts errors to responses: one format for all, without internal details. */
import { databaseTrouble } from "../domain/database/database_trouble.ts";
import {
  DomainError,
  InvalidError,
  SecondFactorMissingError,
  SecondFactorRequiredError,
  StepUpRequiredError,
  ThrottledError,
} from "../domain/errors.ts";
import { logger } from "../telemetry/logging.ts";

const log = logger("http");

/** An error that the HTTP layer itself detects, without a service. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

export interface ErrorAnswer {
  status: number;
  body: Record<string, unknown>;
  headers: Readonly<Record<string, string>>;
}

/** The value of the field `error` in the response, for each status. */
export const ERROR_TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  421: "Misdirected Request",
  422: "Validation Error",
  426: "Upgrade Required",
  429: "Too Many Requests",
  500: "Server Error",
  503: "Service Unavailable",
};

const STATUS_OF: Readonly<Record<DomainError["kind"], number>> = {
  not_found: 404,
  conflict: 409,
  invalid: 422,
  forbidden: 403,
  unauthenticated: 401,
  throttled: 429,
  unavailable: 503,
};

/** Returns the response for an error. An unexpected error becomes a 500, with its cause in the log only. */
export function errorAnswer(error: unknown, request: Request): ErrorAnswer {
  if (error instanceof HttpError) return answer(error.status, error.message, error.headers);
  if (error instanceof DomainError) return domainAnswer(error);
  if (error instanceof Error && error.name === "SecretError") {
    return answer(409, `${error.message}. Store the secret again, or restore the control plane's key.`);
  }
  const status = databaseStatus(error);
  if (status === null || status === 400) {
    log.error("Cannot answer {method} {path}: {error}", {
      method: request.method,
      path: new URL(request.url).pathname,
      error,
    });
  }
  switch (status) {
    case 400:
      return answer(400, "The request contains a value that can't be stored.");
    case 409:
      return answer(409, "A record that this request refers to changed at the same moment; try again.");
    case 503:
      return answer(
        503,
        databaseTrouble(error)!.sentence,
        {
          "Retry-After": "5",
        },
      );
    default:
      return answer(500, "An unexpected error occurred on the server; its log has the details.");
  }
}

function domainAnswer(error: DomainError): ErrorAnswer {
  const status = STATUS_OF[error.kind];
  if (status === 401) {
    const body: Record<string, unknown> = { message: error.message };
    if (error instanceof SecondFactorRequiredError) {
      Object.assign(body, { second_factor_required: true, challenge: error.challenge });
    }
    return { status, body, headers: { "WWW-Authenticate": "Bearer" } };
  }
  const { body } = answer(status, error.message);
  if (error instanceof InvalidError) body.errors = error.errors;
  if (error instanceof StepUpRequiredError) body.step_up_required = true;
  if (error instanceof SecondFactorMissingError) body.second_factor_setup_required = true;
  if (error instanceof ThrottledError) {
    return { status, body, headers: { "Retry-After": String(error.seconds) } };
  }
  return { status, body, headers: status === 503 ? { "Retry-After": "5" } : {} };
}

function answer(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): ErrorAnswer {
  return { status, body: { error: ERROR_TITLES[status] ?? "Error", message }, headers };
}

/**
 * Returns the status for an error of Postgres or of its connection; null for any other error. Appendix A of
 * the PostgreSQL manual lists the codes.
 */
function databaseStatus(error: unknown): 400 | 409 | 503 | null {
  if (!(error instanceof Error)) return null;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (error.name === "PostgresError") {
    if (code.startsWith("22")) return 400; // data exception: the schema let an invalid value through
    // A concurrent change violated a foreign or unique key, or caused a serialization failure or a deadlock.
    if (code === "23503" || code === "23505" || code.startsWith("40")) return 409;
  }
  return databaseTrouble(error) === null ? null : 503;
}
