/** Where a transform hands its bytes on. */
export interface Sink {
  /** Takes bytes in order, one call at a time. The caller may reuse the buffer once this resolves. */
  write(chunk: Uint8Array): Promise<void>;
  /** No more bytes follow. Resolves when all of them are handed on. */
  end(): Promise<void>;
}
