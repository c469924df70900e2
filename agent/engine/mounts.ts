/** Reads which file systems are mounted, and which file systems `/etc/fstab` expects to be mounted. */
import { RunFailedError } from "./ports.ts";

export interface Mount {
  point: string;
  type: string;
  device: string;
  /** Device number of the file system. The number is the same for all mounts of a file system. */
  fileSystem: string;
  /**
   * Which directory of the file system is mounted at `point`: `/`, or a subdirectory for a bind mount.
   */
  root: string;
}

/**
 * Returns the mounts in the text of `/proc/self/mountinfo`, proc(5). Of several mounts on the same mount
 * point, the last one hides the others.
 */
export function parseMountinfo(text: string): Mount[] {
  return lines(text).map((line) => {
    const [before, after] = line.split(" - ");
    const [type, device] = after!.split(" ");
    const [, , fileSystem, root, point] = before!.split(" ");
    return {
      point: unescape(point!),
      type: type!,
      device: unescape(device!),
      fileSystem: fileSystem!,
      root: unescape(root!),
    };
  });
}

/** Returns the mount points in `/etc/fstab`, fstab(5). Skips entries without a mount point, such as swap. */
export function parseFstab(text: string): string[] {
  return lines(text)
    .map((line) => line.split(/[ \t]+/).filter((field) => field !== ""))
    .filter(([device]) => device !== undefined && !device.startsWith("#"))
    .map(([, point]) => unescape(point ?? ""))
    .filter((point) => point.startsWith("/"));
}

/** Returns the mount that contains a path. The path must not contain symbolic links. */
export function mountOf(path: string, mounts: Mount[]): Mount | undefined {
  return mounts
    .filter(({ point }) => isWithin(path, point))
    .reduce<Mount | undefined>(
      (best, mount) => (mount.point.length >= (best?.point.length ?? 0) ? mount : best),
      undefined,
    );
}

/**
 * Looks for a mount point that fstab lists but that is not mounted. Considers only the path itself and the
 * directories above the path. Returns undefined if there is no such mount point.
 */
export function vanishedMount(path: string, expected: string[], mounts: Mount[]): string | undefined {
  const mounted = new Set(mounts.map(({ point }) => point));
  return expected.find((point) => point !== "/" && isWithin(path, point) && !mounted.has(point));
}

/**
 * Throws a `RunFailedError` if nothing is mounted on a mount point that fstab lists. Considers only mount
 * points at the path or above the path.
 * @param action The action that is refused, for the error message: `back up /srv`.
 */
export function refuseVanished(action: string, path: string, { mounts, expected }: Mounts): void {
  const vanished = vanishedMount(path, expected, mounts);
  if (vanished === undefined) return;
  throw new RunFailedError(
    `Cannot ${action}: /etc/fstab mounts a file system on ${vanished}, and it is not mounted now. ` +
      `Mount it (mount ${vanished}) or take it out of /etc/fstab.`,
  );
}

/** Returns whether `path` is `directory` or below it. Both paths are absolute and have no trailing slash. */
export function isWithin(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

export interface Mounts {
  mounts: Mount[];
  /** The mount points in `/etc/fstab`. */
  expected: string[];
}

export async function readMounts(): Promise<Mounts> {
  const mounts = parseMountinfo(await Deno.readTextFile("/proc/self/mountinfo"));
  try {
    return { mounts, expected: parseFstab(await Deno.readTextFile("/etc/fstab")) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { mounts, expected: [] };
    throw error;
  }
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/**
 * Returns a field of fstab or mountinfo in plain text. These files write spaces and backslashes as `\` and
 * three octal digits.
 */
function unescape(field: string): string {
  const trimmed = field.length > 1 ? field.replace(/\/+$/, "") || "/" : field;
  return trimmed.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}
