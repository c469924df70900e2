/** Reads a program's output into two large buffers: one is filled while the other is processed. */

const BUFFER_BYTES = 1024 * 1024;

type Reader = ReadableStreamBYOBReader;

/** Processes one chunk. A failure is either thrown or a rejection. Both are handled in the same way. */
export type Take = (chunk: Uint8Array) => void | Promise<void>;

/**
 * Reads `stdout` to its end. Calls `take` with chunks of up to 1 MiB, in order and one at a time. Memory use
 * does not depend on the length of the stream.
 *
 * If `take` or `stdout` fails, calls `onFailure` at once. The caller should end the program in `onFailure`.
 * After a failure of `take`, the rest of the stream is still read and dropped. Otherwise the program would
 * block on a full pipe. At the end, rejects with the first error.
 */
export async function readDoubleBuffered(
  stdout: ReadableStream<Uint8Array>,
  take: Take,
  onFailure: () => void,
): Promise<void> {
  const reader: Reader = stdout.getReader({ mode: "byob" });
  const buffers = [new ArrayBuffer(BUFFER_BYTES), new ArrayBuffer(BUFFER_BYTES)];
  const failures: { error: unknown }[] = [];
  // The function is async, so that an error thrown by `take` becomes a rejection.
  const attempt = async (work: () => void | Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (failures.push({ error }) === 1) onFailure();
    }
  };
  let taking = Promise.resolve();
  await attempt(async () => {
    for (let turn = 0;; turn ^= 1) {
      const { buffer, length, ended } = await fill(reader, buffers[turn]!);
      buffers[turn] = buffer;
      await taking;
      if (failures.length === 0 && length > 0) {
        taking = attempt(() => take(new Uint8Array(buffer, 0, length)));
      }
      if (ended) break;
    }
  });
  await taking;
  reader.releaseLock();
  if (failures.length > 0) throw failures[0]!.error;
}

/**
 * Fills the buffer from the stream, and returns the number of bytes in it. Returns the buffer too, as a new
 * `ArrayBuffer`, because each read transfers the buffer's memory to the stream.
 */
async function fill(
  reader: Reader,
  buffer: ArrayBuffer,
): Promise<{ buffer: ArrayBuffer; length: number; ended: boolean }> {
  let length = 0;
  while (length < BUFFER_BYTES) {
    const { value, done } = await reader.read(new Uint8Array(buffer, length, BUFFER_BYTES - length));
    if (value !== undefined) buffer = value.buffer as ArrayBuffer;
    if (done) return { buffer, length, ended: true };
    length += value.length;
  }
  return { buffer, length, ended: false };
}
