/** Consumes the output of a transform. */
export interface Sink {
  /**
   * Writes bytes. Bytes are written in order: a call starts after the previous one has resolved. The caller
   * may reuse the buffer once the promise resolves.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends the stream. Resolves when all bytes are passed on. */
  end(): Promise<void>;
}
