/** Reads a program's output into two large buffers in turn: one fills while the other is processed. */

const BUFFER_BYTES = 1024 * 1024;

type Reader = ReadableStreamBYOBReader;

/** Processes one chunk. It may throw or reject; both count as the same failure. */
export type Take = (chunk: Uint8Array) => void | Promise<void>;

/**
 * Reads `stdout` to its end and calls `take` with chunks of up to 1 MiB, in order and one at a time. Memory
 * use does not depend on the stream's length. If `take` or `stdout` fails, `onFailure` is called at once (to
 * end the program), and the error is thrown after the stream has ended. The rest of the stream is read and
 * dropped, so that no program blocks on a full pipe.
 */
export async function readDoubleBuffered(
  stdout: ReadableStream<Uint8Array>,
  take: Take,
  onFailure: () => void,
): Promise<void> {
  const reader: Reader = stdout.getReader({ mode: "byob" });
  const buffers = [new ArrayBuffer(BUFFER_BYTES), new ArrayBuffer(BUFFER_BYTES)];
  const failures: { error: unknown }[] = [];
  // Async, so that a synchronous throw of `take` becomes a rejection.
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

/** Fills the buffer. Each read transfers its memory to the stream and returns it in a new `ArrayBuffer`. */
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
