/** The reason why a message was not accepted, shown to its owner. Contains no address and no token. */
export class DeliveryError extends Error {
  override readonly name = "DeliveryError";
  /** @param retryAfterMs The delay that the receiver asked for; null if none. */
  constructor(message: string, readonly retryAfterMs: number | null = null) {
    super(message);
  }
}
