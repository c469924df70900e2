/**
 * The reason why a recovery cannot be completed, as one line that says what to do. Never contains a secret.
 */
export class RecoveryError extends Error {
  override readonly name = "RecoveryError";
}
