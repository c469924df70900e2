/**
 * The error for a recovery that cannot be completed. The message says the reason and what to do, in one line.
 * It never contains a secret.
 */
export class RecoveryError extends Error {
  override readonly name = "RecoveryError";
}
