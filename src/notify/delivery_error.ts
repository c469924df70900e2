/** Why a message was not taken, for its owner to read: never with an address or a token in it. */
export class DeliveryError extends Error {
  override readonly name = "DeliveryError";
  /** @param retryAfterMs What the other side asked to wait; null where it asked for nothing. */
  constructor(message: string, readonly retryAfterMs: number | null = null) {
    super(message);
  }
}
