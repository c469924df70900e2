/**
 * The reason why a message was not accepted. It is shown to the stream's owner, and contains no address and
 * no token.
 */
export class DeliveryError extends Error {
  override readonly name = "DeliveryError";
  /**
   * @param retryAfterMs The delay that the receiver asked for, in milliseconds; null if it asked for none.
   */
  constructor(message: string, readonly retryAfterMs: number | null = null) {
    super(message);
  }
}
