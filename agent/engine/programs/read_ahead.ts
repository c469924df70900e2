/** Reads one chunk ahead: while the consumer processes a chunk, the next one is read. */

/**
 * Yields the bytes of `chunks`. A yielded chunk is valid until the next one is requested. If the consumer
 * stops early, the source is closed, and the chunk that was read ahead is dropped.
 *
 * Each yielded chunk is a copy, so that the source is allowed to reuse its buffer. The copies use two buffers
 * in turn, because allocating a buffer for each chunk would take as much time as copying the bytes.
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
