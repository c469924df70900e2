/**
 * Reports why the server cannot start, in one line that says what to do. The line never contains a secret.
 */
export class StartError extends Error {
  override readonly name = "StartError";
}

/**
 * Returns an error of the start as one line. A message that does not start with "Cannot" gets the beginning
 * "Cannot start:".
 */
export function startFailure(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ")
    .trim();
  return message.startsWith("Cannot ") ? message : `Cannot start: ${message || "the reason is not known"}`;
}
