/** What is mounted where, and what should be. */
import { RunFailedError } from "./ports.ts";

export interface Mount {
  point: string;
  type: string;
  device: string;
  /** Device number of the file system, which all of its mounts share. */
  fileSystem: string;
  /** The directory of the file system that is mounted: `/`, or another one of a bind mount. */
  root: string;
}

/** `/proc/self/mountinfo`, proc(5). Later lines lie over earlier ones. */
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

/** Mount points of `/etc/fstab`, fstab(5). Swap and the like have none. */
export function parseFstab(text: string): string[] {
  return lines(text)
    .map((line) => line.split(/[ \t]+/).filter((field) => field !== ""))
    .filter(([device]) => device !== undefined && !device.startsWith("#"))
    .map(([, point]) => unescape(point ?? ""))
    .filter((point) => point.startsWith("/"));
}

/** The file system a real path lies on. */
export function mountOf(path: string, mounts: Mount[]): Mount | undefined {
  return mounts
    .filter(({ point }) => isWithin(path, point))
    .reduce<Mount | undefined>(
      (best, mount) => (mount.point.length >= (best?.point.length ?? 0) ? mount : best),
      undefined,
    );
}

/** The mount point at or above a path that fstab lists and nothing is mounted on now. */
export function vanishedMount(path: string, expected: string[], mounts: Mount[]): string | undefined {
  const mounted = new Set(mounts.map(({ point }) => point));
  return expected.find((point) => point !== "/" && isWithin(path, point) && !mounted.has(point));
}

/** @param action What can't be done where its file system is not mounted: `back up /srv`. */
export function refuseVanished(action: string, path: string, { mounts, expected }: Mounts): void {
  const vanished = vanishedMount(path, expected, mounts);
  if (vanished === undefined) return;
  throw new RunFailedError(
    `Cannot ${action}: /etc/fstab mounts a file system on ${vanished}, and it is not mounted now. ` +
      `Mount it (mount ${vanished}) or take it out of /etc/fstab.`,
  );
}

/** Also true for the path itself. Both absolute, without a trailing slash but for `/`. */
export function isWithin(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

export interface Mounts {
  mounts: Mount[];
  /** Mount points of `/etc/fstab`. */
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

/** Spaces and backslashes are written as `\` and three octal digits. */
function unescape(field: string): string {
  const trimmed = field.length > 1 ? field.replace(/\/+$/, "") || "/" : field;
  return trimmed.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}
