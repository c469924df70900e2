/** The reason why the server cannot start, as one line that says what to do. Never contains a secret. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Formats any error of the start as one line. Messages that start with "Cannot" stay unchanged. */
export function startFailure(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ")
    .trim();
  return message.startsWith("Cannot ") ? message : `Cannot start: ${message || "the reason is not known"}`;
}
