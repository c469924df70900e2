/** A program's output, read into two large buffers in turn: one fills while the other is written. */

const BUFFER_BYTES = 1024 * 1024;

type Reader = ReadableStreamBYOBReader;

/**
 * Reads `stdout` to its end, giving `take` chunks of up to 1 MiB in order, one at a time; the memory is the same
 * however long the stream is. When `take` fails, `onFailure` is called at once (to end the program) and the
 * error is thrown after the stream has ended.
 */
export async function pump(
  stdout: ReadableStream<Uint8Array>,
  take: (chunk: Uint8Array) => Promise<void>,
  onFailure: () => void,
): Promise<void> {
  const reader: Reader = stdout.getReader({ mode: "byob" });
  const buffers = [new ArrayBuffer(BUFFER_BYTES), new ArrayBuffer(BUFFER_BYTES)];
  let failure: { error: unknown } | null = null;
  let taking = Promise.resolve();
  for (let turn = 0;; turn ^= 1) {
    const { buffer, length, ended } = await fill(reader, buffers[turn]!);
    buffers[turn] = buffer;
    await taking;
    if (failure === null && length > 0) {
      taking = take(new Uint8Array(buffer, 0, length)).catch((error) => {
        failure = { error };
        onFailure();
      });
    }
    if (ended) break;
  }
  await taking;
  reader.releaseLock();
  // Assigned in the callback above, which the type checker does not follow.
  const failed = failure as { error: unknown } | null;
  if (failed !== null) throw failed.error;
}

/** Each read hands its buffer over and gets it back: what comes is the same memory. */
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
