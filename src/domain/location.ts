/** Paths of directories and objects at a destination. */

/**
 * Returns the new path of `directory` if everything in the directory `base` moves to `next`. Returns null if
 * `directory` is not inside `base`.
 */
export function movedDirectory(directory: string, base: string, next: string): string | null {
  if (base === next) return directory;
  const [parts, baseParts] = [innerSegments(directory), innerSegments(base)];
  const isInside = directory.startsWith("/") === base.startsWith("/") &&
    baseParts.every((segment, index) => parts[index] === segment);
  return isInside ? joinDirectory(next, parts.slice(baseParts.length)) : null;
}

/** Returns the key of an object in a bucket. */
export function objectKey(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/**
 * Returns the path of the directory `inside` below the directory `base`. Returns `.` if `base` is relative
 * and neither has a segment.
 */
export function joinDirectory(base: string, inside: readonly string[]): string {
  const parts = [...innerSegments(base), ...inside].join("/");
  return base.startsWith("/") ? `/${parts}` : parts || ".";
}

/** Returns the segments of a path, without empty segments and `.`. */
export function innerSegments(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "" && segment !== ".");
}
