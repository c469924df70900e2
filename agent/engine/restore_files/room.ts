/** Checks whether the files of a restore fit on the file system. */
import { statfs } from "node:fs/promises";
import { formatBytes } from "../../../src/domain/byte_size.ts";
import type { Obstacle } from "../../../src/protocol/restore_preview.ts";
import { mountOf, readMounts } from "../mounts.ts";
import type { Output } from "../ports.ts";
import type { Contents } from "./survey.ts";

/**
 * File systems that store files in their full size. Others might compress files or share their blocks, so
 * that files take less space than in the archive.
 */
const PLAIN_FILE_SYSTEMS = ["ext2", "ext3", "ext4", "xfs", "tmpfs", "vfat", "exfat"];

/** Returns how much free space the agent is allowed to use on a directory's file system, in bytes. */
export async function freeSpace(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/**
 * Returns an obstacle if the free space is less than the size of the contents in the archive. The archive
 * contains no holes of sparse files, so the unpacked files normally take at least this size. Some file
 * systems might store the files in less space. On such a file system, writes a warning and returns no
 * obstacle.
 *
 * @param contents Null if it is not known what is unpacked.
 */
export async function tooLittleRoom(
  directory: string,
  free: number,
  contents: Contents | null,
  output: Output,
): Promise<Obstacle[]> {
  if (contents === null || contents.storedBytes <= free) return [];
  const [needed, left] = [formatBytes(contents.storedBytes), formatBytes(free)];
  const problem = `there is no room for it in ${directory}: it takes ${needed}, and ${left} are free`;
  const { mounts } = await readMounts();
  if (PLAIN_FILE_SYSTEMS.includes(mountOf(directory, mounts)?.type ?? "")) {
    return [{ path: null, problem, solution: "Free some, or restore elsewhere." }];
  }
  output.warning(`Unless the file system there compresses its files, ${problem}`);
  return [];
}
