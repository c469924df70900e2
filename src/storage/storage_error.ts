/**
 * A bucket could not do what was requested. The message is one line that a person can act on, without
 * secrets.
 */
export class StorageError extends Error {
  override readonly name = "StorageError";

  /**
   * @param code The service's own code (`NoSuchBucket`), or `Network`, `Timeout`, `Answer`, `StillThere`.
   * @param retryable The same call may succeed later.
   */
  constructor(message: string, readonly code: string, readonly retryable: boolean, options?: ErrorOptions) {
    super(message, options);
  }
}
