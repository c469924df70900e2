/** One chunk ahead: the next is read and made while the one before is being taken. */

/**
 * The same bytes; a chunk may be used until the next is asked for. It is a copy, so that its source may use
 * its buffer for the next, in one of two buffers that take turns: a new one for each would cost as much as
 * carrying the bytes. Where it is left early, the source is left too, and what it was asked for meanwhile is
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
      // Told when it is awaited; until then it is nobody's.
      next.catch(() => {});
      yield chunk;
    }
  } finally {
    await next.catch(() => {});
    await source.return?.();
  }
}
