/**
 * Reads a range of a file of this server. Retries a failed read (EIO) once, because the fault may be
 * transient.
 */
import { type Output, RunFailedError } from "../../ports.ts";
import { codeOf } from "./errors.ts";
import type { LocalFiles } from "./files.ts";
import { endsEarly } from "../object_name.ts";

const READ_BYTES = 1024 * 1024;

/**
 * Yields the bytes from `from` up to, but not including, `to`. Rejects if the disk reports an error twice at
 * the same position.
 */
export async function* readLocal(
  path: string,
  { from, to }: { from: number; to: number },
  files: LocalFiles,
  signal: AbortSignal,
  output: Pick<Output, "line"> | null,
): AsyncIterable<Uint8Array> {
  const buffer = new Uint8Array(Math.min(READ_BYTES, Math.max(to - from, 1)));
  let file = await openAt(files, path, from);
  try {
    for (let at = from; at < to;) {
      signal.throwIfAborted();
      const wanted = buffer.subarray(0, to - at);
      const read = () => files.at(`read ${path}`, () => file.read(wanted));
      let length: number | null;
      try {
        length = await read();
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        output?.line(
          `Reading ${path} again from byte ${at}: its disk reported an error. Check the kernel's log`,
        );
        const again = await openAt(files, path, at);
        files.close(file);
        file = again;
        length = await read();
      }
      if (length === null) throw endsEarly(path, at, to);
      at += length;
      yield buffer.subarray(0, length);
    }
  } finally {
    files.close(file);
  }
}

/**
 * Returns whether a disk's read error caused this error. {@link readLocal} rejects with such an error only
 * after a second try.
 */
export function isUnreadable(error: unknown): boolean {
  return error instanceof RunFailedError && codeOf(error.cause) === "EIO";
}

async function openAt(files: LocalFiles, path: string, offset: number): Promise<Deno.FsFile> {
  return await files.at(`read ${path}`, async () => {
    const file = await Deno.open(path);
    await file.seek(offset, Deno.SeekMode.Start);
    return file;
  });
}
