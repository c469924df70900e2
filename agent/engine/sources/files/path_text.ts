/** Functions for absolute paths as text, without access to the file system. */

/**
 * Returns a path without double slashes, without `.` in the middle, and without trailing slashes. Keeps `..`,
 * because the meaning of `..` depends on symbolic links.
 */
export function normalise(path: string): string {
  const joined = path.replace(/\/(?:\.?\/)+/g, "/").replace(/(?<=\/)\.$/, "");
  return joined.length > 1 ? joined.replace(/\/+$/, "") || "/" : joined;
}

export function join(directory: string, name: string): string {
  return `${directory === "/" ? "" : directory}/${name}`;
}

export function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

/** Returns a path below `root` as a path relative to `root`. */
export function relative(path: string, root: string): string {
  return path.slice(root === "/" ? 1 : root.length + 1);
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
