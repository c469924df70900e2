/**
 * Reports that a bucket could not do what was requested. The message is one line that a person can act on,
 * without secrets.
 */
export class StorageError extends Error {
  override readonly name = "StorageError";

  /**
   * @param code The service's own error code, such as `NoSuchBucket`, or one of this program's codes:
   *   `Network`, `Timeout`, `Answer` or `StillThere`.
   * @param retryable Whether the same operation might succeed later.
   */
  constructor(message: string, readonly code: string, readonly retryable: boolean, options?: ErrorOptions) {
    super(message, options);
  }
}
