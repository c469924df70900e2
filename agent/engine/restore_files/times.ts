/**
 * Sets modification times on file systems where tar cannot set them. GNU tar sets only the modification time,
 * and leaves the access time. Many FUSE file systems silently ignore a request that sets only one of the two
 * times.
 */
import { lutimes } from "node:fs/promises";
import { join } from "node:path";
import { IndexParser, type Member } from "../archive/archive_index.ts";
import { capture } from "../programs/capture.ts";
import type { Children } from "../programs/children.ts";
import { textOf } from "../archive/bytes.ts";
import type { ReadLines } from "./selection.ts";

/**
 * Returns whether the file system of a directory sets a modification time only together with an access time.
 */
export async function setsBothTimesOnly(directory: string, children: Children): Promise<boolean> {
  const probe = join(directory, ".rearguard-restore-probe");
  await Deno.writeTextFile(probe, "");
  try {
    await capture(children, { program: "touch", args: ["-m", "-d", "@1000000000", "--", probe] });
    return (await Deno.stat(probe)).mtime?.getTime() !== 1_000_000_000_000;
  } finally {
    await Deno.remove(probe);
  }
}

const TIMED = new Set(["file", "hardlink", "symlink", "fifo"]);

/**
 * Sets the times of restored files, and then the times of directories. Resolves with the number of files
 * whose time could not be set.
 *
 * @param isWanted Returns whether to set the time of a member. Receives the member's name without `./`.
 */
export async function setTimes(
  directory: string,
  readLines: ReadLines,
  isWanted: (name: string) => boolean,
): Promise<number> {
  const parser = new IndexParser();
  const directories: Member[] = [];
  const pending: Member[] = [];
  await readLines((line) => {
    const member = parser.line(line);
    if (member === null || !isWanted(member.name)) return;
    if (member.type === "directory") directories.push(member);
    else if (TIMED.has(member.type)) pending.push(member);
  });
  let failed = 0;
  for (const { name, modifiedAt } of [...pending, ...directories.reverse()]) {
    const seconds = modifiedAt === null ? NaN : Date.parse(modifiedAt.replace(/\..*Z$/, "Z")) / 1000;
    // Times outside the range of `Date` are not set.
    if (Number.isNaN(seconds)) failed++;
    else await lutimes(join(directory, textOf(name)), seconds, seconds).catch(() => failed++);
  }
  return failed;
}
