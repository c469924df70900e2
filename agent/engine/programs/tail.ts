/** Reads a file while one of the run's programs writes it. */
import type { Clock } from "../../../src/domain/clock.ts";
import type { Take } from "./double_buffer.ts";

const BUFFER_BYTES = 1024 * 1024;
/** Time to wait before a file that has not grown is read again, in milliseconds. */
const PAUSE = 20;

/**
 * Calls `take` with the bytes of the file, in chunks of up to 1 MiB and one at a time. Resolves once `ended`
 * has settled and the whole file was read.
 *
 * If `take` or a read fails, calls `onFailure` at once. `onFailure` should end the program. Once the program
 * has ended, rejects with the error.
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
      // Before the read, check whether the program has ended. A read that starts after the program's end
      // returns all remaining bytes.
      const isLast = over.signal.aborted;
      // Read synchronously: the bytes are in the page cache, so switching threads would take longer than the
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
