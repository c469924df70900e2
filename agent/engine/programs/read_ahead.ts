/** Reads one chunk ahead: while the consumer processes a chunk, the next one is read. */

/**
 * Yields the bytes of `chunks`. A chunk is valid until the next one is requested. If the consumer stops
 * early, the source is closed. The chunk that was read ahead is then dropped.
 *
 * Each chunk is a copy, so that the source may reuse its buffer. Two buffers take turns. Allocating a buffer
 * for each chunk would take as much time as copying the bytes.
 */
export async function* readAhead(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const source = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  let [free, taken] = [new Uint8Array(0), new Uint8Array(0)];
  const take = async () => {
    const { value, done } = await source.next();
    if (done) return null;
    const { length } = value as Uint8Array;
    if (free.length < length) free = new Uint8Array(length);
    [free, taken] = [taken, free];
    taken.set(value);
    return taken.subarray(0, length);
  };
  let next = take();
  try {
    for (;;) {
      const chunk = await next;
      if (chunk === null) return;
      next = take();
      // Prevents an unhandled rejection: `next` is awaited later, and the await throws the error.
      next.catch(() => {});
      yield chunk;
    }
  } finally {
    await next.catch(() => {});
    await source.return?.();
  }
}
