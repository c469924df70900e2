/**
 * Zstandard by the `zstd` package's programs: `pzstd` for archives, `zstd` for what is small. The
 * uncompressed bytes stay in a kernel pipe between the source's program and this one; the agent sees
 * compressed bytes only.
 */
import type { Command } from "../programs/children.ts";

/** Beyond this many threads tar is the slower half, and each costs memory. */
const MAX_THREADS = 8;

/**
 * pzstd takes and gives back buffers of 128 KiB all the time, which the C library maps and unmaps anew, one
 * by one, unless it is told to keep them: a fourteenth of the time and a third of what the kernel does.
 * mallopt(3).
 */
const KEEP_BUFFERS = { MALLOC_MMAP_THRESHOLD_: "33554432", MALLOC_TRIM_THRESHOLD_: "268435456" };

/**
 * Compresses a FIFO or file in independent frames of 8 MB, each behind a skippable frame: to stdout, or into
 * a file that is there.
 */
export function compressFramed(path: string, into: string | null = null): Command {
  const threads = Math.min(navigator.hardwareConcurrency, MAX_THREADS);
  return {
    program: "pzstd",
    args: ["-q", "-3", "-p", String(threads), "-c"],
    env: KEEP_BUFFERS,
    redirects: [
      { descriptor: 0, direction: "<", path },
      ...(into === null ? [] : [{ descriptor: 1, direction: ">" as const, path: into }]),
    ],
  };
}

/** Compresses a file in one frame, into a file that is there. */
export function compressPlain(path: string, into: string): Command {
  return {
    program: "zstd",
    args: ["-q", "-3", "-c"],
    redirects: [{ descriptor: 0, direction: "<", path }, { descriptor: 1, direction: ">", path: into }],
  };
}
