/** Reads one chunk ahead: the next chunk is produced while the consumer processes the current one. */

/**
 * Yields the same bytes. A chunk is valid until the next is requested. Each chunk is a copy, so that the
 * source may reuse its buffer. Two buffers take turns, because allocating one per chunk would take as much
 * time as copying the bytes. If the consumer stops early, the source is closed and the chunk read ahead is
 * dropped.
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
      // Prevents an unhandled rejection; the error is thrown when `next` is awaited.
      next.catch(() => {});
      yield chunk;
    }
  } finally {
    await next.catch(() => {});
    await source.return?.();
  }
}
