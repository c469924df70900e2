/** Owners, modes, times, access lists and extended attributes of directories, kept in a tar file. */
import { capture } from "../capture.ts";
import type { Children } from "../children.ts";
import { RunFailedError } from "../ports.ts";

/**
 * Keeps them in `archive`, a new file.
 *
 * @param lists Files of names below `root`, each ended by NUL. @param withRoot Also of `root` itself.
 */
export async function saveAttributes(
  root: string,
  lists: readonly string[],
  withRoot: boolean,
  archive: string,
  children: Children,
): Promise<void> {
  const from = lists.map((list) => `--files-from=${list}`);
  const names = withRoot ? ["."] : [];
  const format = ["--create", "--format=posix", "--no-recursion", "--null"];
  await tar(root, archive, [...format, ...from, ...names], children);
}

/** To directories of the same names below `root`; what is not there is made. */
export async function giveAttributes(root: string, archive: string, children: Children): Promise<void> {
  await tar(
    root,
    archive,
    ["--extract", "--same-permissions", "--delay-directory-restore", "--no-selinux"],
    children,
  );
}

async function tar(
  root: string,
  archive: string,
  args: readonly string[],
  children: Children,
): Promise<void> {
  const kept = ["--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner"];
  const { exit, messages } = await capture(children, {
    program: "tar",
    args: ["--zstd", `--file=${archive}`, `--directory=${root}`, ...kept, ...args],
  });
  if (exit.code !== 0) throw new RunFailedError(messages[0] ?? `tar exited with ${exit.code}`);
}
