/** What keeps a recovery from its end, as one line that tells what to do. Never with a secret in it. */
export class RecoveryError extends Error {
  override readonly name = "RecoveryError";
}
