/** One chunk ahead: the next is read and made while the one before is being taken. */

/**
 * The same bytes. A chunk is a copy, so that its source may use its buffer for the next. Where it is left early, the source is
 * left too, and what it was asked for meanwhile is dropped.
 */
export async function* readAhead(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const source = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  const take = async () => {
    const { value, done } = await source.next();
    return done ? null : (value as Uint8Array).slice();
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
