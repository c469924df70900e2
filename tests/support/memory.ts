/**
 * Finds room for temporary files in memory. On ext4, much of the tests' processor time goes into creating and
 * deleting small files.
 */
import { statfs } from "node:fs/promises";

const SHARED_MEMORY = "/dev/shm";
/**
 * Minimum free memory in bytes for keeping temporary files in memory. A run of the test suite needs about 2
 * GB at its peak.
 */
const ROOM = 6 * 2 ** 30;

/** A directory on disk, for tests that depend on the order in which a file system lists a directory. */
export const ON_DISK = "/var/tmp";

/**
 * Returns a directory in memory. Returns undefined if there is none, or if it has too little room for a run
 * of the test suite.
 */
export async function memoryDirectory(): Promise<string | undefined> {
  return await hasMemory() && await freeBytes(SHARED_MEMORY) >= ROOM ? SHARED_MEMORY : undefined;
}

/**
 * Mounts a file system in memory on the directory. Resolves with false if this is not possible. Mounting
 * needs root and enough memory.
 */
export async function mountMemory(directory: string): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0 || !await hasMemory()) return false;
  const { success } = await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "mode=1777", "rearguard-tests", directory],
    stdin: "null",
  }).output();
  return success;
}

async function hasMemory(): Promise<boolean> {
  try {
    const [, available] = /^MemAvailable: +(\d+) kB$/m.exec(await Deno.readTextFile("/proc/meminfo"))!;
    return Number(available) * 1024 >= ROOM;
  } catch {
    return false; // there is no /proc, as on macOS
  }
}

async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
