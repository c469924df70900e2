/** Functions for absolute paths as text, without access to the file system. */

/**
 * Returns a path without double slashes, `.` in the middle and trailing slashes. Keeps `..`, because links
 * decide its meaning.
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

/** Returns the path relative to the root, without a leading slash. */
export function relative(path: string, root: string): string {
  return path.slice(root === "/" ? 1 : root.length + 1);
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
