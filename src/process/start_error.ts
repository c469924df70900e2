/**
 * Reports why the server cannot start, in one line that says what to do. The line never contains a secret.
 */
export class StartError extends Error {
  override readonly name = "StartError";
}

/**
 * Returns an error of the start as one line. Keeps messages that start with "Cannot", and completes others.
 */
export function startFailure(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ")
    .trim();
  return message.startsWith("Cannot ") ? message : `Cannot start: ${message || "the reason is not known"}`;
}
