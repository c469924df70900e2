/**
 * Inspects the directory that files are restored into. Manages the staging directory in which the files are
 * unpacked first.
 */
import { dirname, join } from "node:path";
import { type Mounts, readMounts, refuseVanished } from "../mounts.ts";
import { capture } from "../programs/capture.ts";
import { Children } from "../programs/children.ts";
import { exists } from "../exists.ts";
import { ObstacleError } from "../obstacles.ts";
import { RunFailedError } from "../ports.ts";
import { removeTree } from "../remove_tree.ts";
import type { RestoreContext } from "../restore_context.ts";
import { normalise } from "../sources/files/path_text.ts";

export interface RestoreDirectory {
  /** Absolute path. If the directory exists, the path has no symbolic links. */
  path: string;
  state: "missing" | "empty" | "occupied";
}

/**
 * Returns the restore directory and its state. Rejects if `path` is not a directory, if the directory cannot
 * be created, or if its file system is not mounted.
 */
export async function inspectRestoreDirectory(
  path: string,
  mounts: () => Promise<Mounts> = readMounts,
): Promise<RestoreDirectory> {
  const directory = await inspect(path);
  refuseVanished(`use ${directory.path}`, directory.path, await mounts());
  return directory;
}

const ELSEWHERE = "Choose another target_path.";

async function inspect(path: string): Promise<RestoreDirectory> {
  if (!path.startsWith("/") || path.includes("\0") || !path.isWellFormed()) {
    throw new ObstacleError({
      path: JSON.stringify(path),
      problem: "is not an absolute path",
      solution: "Correct target_path.",
    });
  }
  try {
    const real = await Deno.realPath(path);
    if (!(await Deno.stat(real)).isDirectory) {
      throw new ObstacleError({ path, problem: "is not a directory", solution: ELSEWHERE });
    }
    for await (const _ of Deno.readDir(real)) return { path: real, state: "occupied" };
    return { path: real, state: "empty" };
  } catch (error) {
    if (error instanceof RunFailedError) throw error;
    if (!(error instanceof Deno.errors.NotFound)) {
      const reason = (error as Error).message.replace(/:.*$/s, "");
      throw new ObstacleError({ path, problem: `can't be a directory: ${reason}`, solution: ELSEWHERE }, {
        cause: error,
      });
    }
  }
  if (await exists(path)) {
    throw new ObstacleError({ path, problem: "is a symbolic link without a target", solution: ELSEWHERE });
  }
  return { path: normalise(path), state: "missing" };
}

/** Returns the path of the directory that keeps the replaced files until the restore is done. */
export function replacedPath(staging: string): string {
  return `${staging}.replaced`;
}

/**
 * The staging directory of a restore. It is on the same file system as the restore directory, so that its
 * contents can be published by renaming.
 */
export class Staging {
  private constructor(
    readonly path: string,
    private readonly directory: string,
    /** Path of a file. Its modification time is the one that `directory` had before the restore. */
    private readonly time: string,
    private readonly context: RestoreContext,
  ) {}

  static async make(target: RestoreDirectory, name: string, context: RestoreContext): Promise<Staging> {
    const { ports } = context;
    const time = timeFile(ports.workDirectory);
    const [first, ...others] = await stagingDirectories(target);
    for (const directory of [first!, ...others]) {
      const path = join(directory, name);
      await copyTime(directory, time, context.children);
      await ports.scratch(path);
      try {
        await Deno.mkdir(path, { mode: 0o700 });
        return new Staging(path, directory, time, context);
      } catch (error) {
        if (directory !== others.at(-1) && isRefused(error) && others.length > 0) continue;
        throw new RunFailedError(
          `the agent can't write in ${directory}: ${
            (error as Error).message
          }. Give it the right to, or restore elsewhere.`,
          { cause: error },
        );
      }
    }
    throw new Error("Cannot make a staging directory: no directory is available");
  }

  /**
   * Removes the staging directory. Never rejects: writes a warning if the directory cannot be removed.
   *
   * @param untouched Whether the restore has published nothing. The parent of the staging directory then gets
   *   its former modification time back.
   */
  async remove(untouched: boolean): Promise<void> {
    const { clock, output } = this.context.ports;
    await removeTree(this.path, clock).catch((error) => {
      output.warning(`Cannot remove ${this.path}: ${(error as Error).message}. Remove it by hand.`);
    });
    if (!untouched) return;
    // Do not use the `Children` of the run: it stops its programs if the run fails or is cancelled.
    await using children = new Children(clock, new AbortController().signal);
    await copyTime(this.time, this.directory, children);
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied ||
    ["EROFS", "EPERM"].includes((error as { code?: string }).code ?? "");
}

/**
 * Returns the path of a file. The file's own modification time records a time: the modification time that the
 * staging directory's parent had before the restore.
 */
export function timeFile(workDirectory: string): string {
  return join(workDirectory, "time");
}

/**
 * Copies the modification time of a file exactly. A JavaScript number could not hold all digits of the time.
 */
export async function copyTime(from: string, to: string, children: Children): Promise<void> {
  await capture(children, { program: "touch", args: [`--reference=${from}`, "--", to] });
}

/**
 * Returns the directories in which the staging directory can be created, the preferred one first.
 *
 * - If the restore directory exists, it comes first. A container that mounts it then sees the restored files.
 *   The unpacked files get the flags of the restore directory, and count for its quota.
 * - If the restore directory exists and is empty, the directory above it comes second. An agent that cannot
 *   write to the restore directory might still be able to replace it. A mount point cannot be replaced, so if
 *   the restore directory is one, the directory above it is left out.
 * - If the restore directory is missing, the only candidate is the nearest existing directory above it.
 */
export async function stagingDirectories({ path, state }: RestoreDirectory): Promise<string[]> {
  if (state === "occupied" || path === "/") return [path];
  if (state === "empty") {
    const { mounts } = await readMounts();
    const isMount = mounts.some(({ point }) => point === path);
    const [own, above] = await Promise.all([Deno.stat(path), Deno.stat(dirname(path))]);
    return isMount || own.dev !== above.dev ? [path] : [path, dirname(path)];
  }
  let at = dirname(path);
  while (!(await exists(at))) at = dirname(at);
  return [await Deno.realPath(at)];
}
