/** Consumes the output of a transform. */
export interface Sink {
  /**
   * Writes bytes. Bytes are written in order: the caller must not write again before the promise resolves.
   * The caller may reuse the buffer once the promise resolves.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends the stream. Resolves when all bytes are passed on. */
  end(): Promise<void>;
}
