/** The consumer of a transform's output. */
export interface Sink {
  /** Writes bytes in order, one call at a time. The caller may reuse the buffer once this resolves. */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends the stream. Resolves when all bytes are passed on. */
  end(): Promise<void>;
}
