/** A file that a program of ours is writing, read as it grows. */
import type { Clock } from "../../../src/domain/clock.ts";
import type { Take } from "./double_buffer.ts";

const BUFFER_BYTES = 1024 * 1024;
/** Between two looks at a file that has not grown. Milliseconds. */
const PAUSE = 20;

/**
 * Gives `take` the bytes of the file, up to 1 MiB at a time and one at a time, until `ended` has settled and
 * all of them were given. When `take` or a read fails, `onFailure` is called at once (to end the program)
 * and the error is thrown once it has ended.
 */
export async function tail(
  path: string,
  ended: Promise<unknown>,
  clock: Clock,
  take: Take,
  onFailure: () => void,
): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  ended.then(end, end);
  try {
    using file = await Deno.open(path);
    const buffer = new Uint8Array(BUFFER_BYTES);
    while (true) {
      // Looked at before the read: what is read after the end is all there is.
      const isLast = over.signal.aborted;
      // The program has just written it, so it is in the page cache: another thread would cost more than the
      // read.
      const length = file.readSync(buffer);
      if (length !== null) await take(buffer.subarray(0, length));
      else if (isLast) return;
      else await clock.sleep(PAUSE, over.signal).catch(() => {});
    }
  } catch (error) {
    onFailure();
    await ended.catch(() => {});
    throw error;
  }
}
