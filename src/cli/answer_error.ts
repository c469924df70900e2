/** Converts an unsuccessful response, or a failed request, to an error message and exit code. */
import { tlsReason } from "../domain/tls_fault.ts";
import { CommandError, EXIT, type ExitCode } from "./command_error.ts";

const CODES: Readonly<Record<number, ExitCode>> = {
  401: EXIT.refused,
  403: EXIT.refused,
  404: EXIT.notFound,
  409: EXIT.conflict,
  422: EXIT.invalid,
  429: EXIT.unreachable,
};

/**
 * Converts an unsuccessful response to an error. Reads the response's body.
 *
 * @param action The action in `Cannot <action>: …`.
 */
export async function answerError(action: string, response: Response): Promise<CommandError> {
  const { status } = response;
  const code = CODES[status] ?? (status >= 500 ? EXIT.unreachable : EXIT.failed);
  const location = response.headers.get("location");
  if (status >= 300 && status < 400 && location !== null) {
    await response.body?.cancel();
    const target = new URL(location, response.url);
    return new CommandError(
      EXIT.failed,
      `Cannot ${action}: it redirects; log in with --url ${target.origin}`,
    );
  }
  const body = parsed(await response.text().catch(() => ""));
  if (status === 401) {
    return new CommandError(
      code,
      `Cannot ${action}: the token is unknown, expired or revoked; log in with another one`,
    );
  }
  if (body === null) {
    return new CommandError(code, `Cannot ${action}: ${originOf(response)} answered ${status}`);
  }
  return new CommandError(code, `Cannot ${action}: ${fieldErrors(body) ?? body.message}`);
}

/**
 * Returns the error for a request that got no complete response.
 *
 * @param cause The error of `fetch` or of the body's stream.
 */
export function connectionError(action: string, url: string, cause: unknown): CommandError {
  const origin = new URL(url).origin;
  return new CommandError(
    EXIT.unreachable,
    `Cannot ${action}: the control plane at ${origin} can't be reached (${reasonOf(cause)})`,
    { cause },
  );
}

interface ErrorBody {
  message: string;
  errors?: Record<string, string[]>;
}

function parsed(text: string): ErrorBody | null {
  try {
    const body = JSON.parse(text);
    return typeof body?.message === "string" ? body : null;
  } catch {
    return null; // the body is probably the error page of a proxy
  }
}

/**
 * Formats every field with all its errors: `label: The label field is required; …`. Returns null if the
 * response names no fields.
 */
function fieldErrors({ errors }: ErrorBody): string | null {
  if (errors === undefined) return null;
  return Object.entries(errors)
    .map(([field, messages]) => `${field}: ${messages.map((text) => text.replace(/\.$/, "")).join(", ")}`)
    .join("; ");
}

function originOf(response: Response): string {
  return response.url === "" ? "the control plane" : new URL(response.url).origin;
}

/**
 * Returns the innermost cause, such as `connection refused`. Leaves out the URL, because the message already
 * contains it.
 */
function reasonOf(cause: unknown): string {
  if (cause instanceof DOMException && cause.name === "TimeoutError") return "no response in time";
  const tls = tlsReason(cause);
  if (tls !== null) return tls;
  const innermost = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const text = innermost instanceof Error ? innermost.message : String(innermost);
  return text.split(": ").at(-1)!.replace(/ \(os error \d+\)$/, "").toLowerCase();
}
