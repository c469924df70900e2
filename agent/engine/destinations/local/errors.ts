/** Turns operating system errors at a local destination into errors with advice. */
import { RunFailedError } from "../../ports.ts";

const ADVICE: Record<string, string> = {
  ENOSPC: "the disk is full. Free some space, or keep fewer backups.",
  EDQUOT: "the disk quota is used up. Raise it, or keep fewer backups.",
  EFBIG: "the file is larger than its file system supports. Use another file system.",
  EROFS: "its file system is read-only. Mount it for writing.",
  EACCES: "the agent's user may not write to it. Change the directory's owner or mode, or the task's path.",
  EPERM: "the agent's user may not write to it. Change the directory's owner or mode, or the task's path.",
  ENOTDIR: "a part of the path is a file, not a directory. Correct the destination's path.",
  EEXIST: "a file has the name of a directory on its path. Correct the destination's path.",
  ENOENT: "it disappeared while it was in use. Check whether its file system is still mounted.",
  ENAMETOOLONG: "the name is too long for its file system. Shorten the task's appended file name or path.",
  EIO: "its disk reported an error. Check the kernel's log, and replace the disk.",
  ESTALE: "the file handle is no longer valid on its network file system. Mount it again.",
  ENOTCONN: "its network file system is not connected. Mount it again.",
};

/**
 * Runs a file operation and returns its result. Rejects with a `RunFailedError` if it fails.
 * @param action The operation, for error messages: `write to /srv/backups`.
 */
export async function atLocal<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    if (code === null) throw error;
    const reason = ADVICE[code] ?? `${(error as Error).message.split(" (os error")[0]} (${code}).`;
    throw new RunFailedError(`Cannot ${action}: ${reason}`, { cause: error });
  }
}

/** Returns the error's code, such as `ENOSPC`; null if the error does not come from the operating system. */
export function codeOf(error: unknown): string | null {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : null;
}
