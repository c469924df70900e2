/**
 * Reports why the server cannot start, in one line that says what to do. The line never contains a secret.
 */
export class StartError extends Error {
  override readonly name = "StartError";
}

/**
 * Returns the message of an error that prevents the start, as one line. Puts "Cannot start:" before a message
 * that does not begin with "Cannot".
 */
export function startFailure(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ")
    .trim();
  return message.startsWith("Cannot ") ? message : `Cannot start: ${message || "the reason is not known"}`;
}
