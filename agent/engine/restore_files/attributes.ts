/**
 * Saves the attributes of directories to a tar file, and applies them later. Attributes are owners, modes,
 * times, access lists and extended attributes.
 */
import type { Children } from "../programs/children.ts";
import { RunFailedError } from "../ports.ts";
import { ENDS_WITH_AGENT } from "./names.ts";
import { isClosing, unsetProperty, withoutProgram } from "./unpack_messages.ts";

/** Maximum number of tar's messages that are kept. */
const MAX_REFUSED = 1000;

/**
 * Saves the attributes of directories below `root` in `archive`, a new file.
 *
 * @param lists Files with the names of the directories, relative to `root`. Each name ends with NUL.
 * @param withRoot Whether to save the attributes of `root` itself as well.
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
  const format = ["--create", "--format=posix", "--no-recursion", "--ignore-failed-read", "--null"];
  await tar(root, archive, [...format, ...from, ...names], children);
}

/**
 * Applies the attributes in `archive` to the directories below `root` that have the same names as in the
 * archive. Creates missing directories. Resolves with tar's messages about attributes that could not be set.
 */
export async function applyAttributes(
  root: string,
  archive: string,
  children: Children,
): Promise<string[]> {
  return await tar(
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
): Promise<string[]> {
  const kept = [
    "--force-local",
    "--no-unquote",
    "--xattrs",
    "--xattrs-include=*",
    "--acls",
    "--numeric-owner",
  ];
  const refused: string[] = [];
  let cause: string | null = null;
  const { code, signal } = await children.spawn({
    program: "tar",
    args: ["--zstd", `--file=${archive}`, `--directory=${root}`, ...kept, ...args],
    redirects: ENDS_WITH_AGENT,
  }, {
    stdout: "null",
    onMessage: (line) => {
      const text = withoutProgram(line);
      if (unsetProperty(text) === null) cause ??= isClosing(text) ? null : text;
      else if (refused.length < MAX_REFUSED) refused.push(text);
    },
  }).exited;
  const isRefused = code === 2 && cause === null && refused.length > 0;
  if (code !== 0 && !isRefused) {
    throw new RunFailedError(
      cause ?? (signal === null ? `tar exited with ${code}` : `tar was ended by ${signal}`),
    );
  }
  return refused;
}
