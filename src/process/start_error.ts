/** What keeps the server from starting, as one line that tells what to do. Never with a secret in it. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Any error of the start as one line. Those made to be read speak for themselves. */
export function startFailure(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ")
    .trim();
  return message.startsWith("Cannot ") ? message : `Cannot start: ${message || "the reason is not known"}`;
}
