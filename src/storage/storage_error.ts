/**
 * A bucket could not do what was asked. The message is one line that a person can act on, with no secret in
 * it.
 */
export class StorageError extends Error {
  override readonly name = "StorageError";

  /**
   * @param code The service's own name for it (`NoSuchBucket`), or `Network`, `Timeout`, `Answer`,
   * `StillThere`.
   * @param retryable The same call may go through later.
   */
  constructor(message: string, readonly code: string, readonly retryable: boolean, options?: ErrorOptions) {
    super(message, options);
  }
}
