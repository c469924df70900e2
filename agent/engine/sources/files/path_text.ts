/** Absolute paths as text, taken literally: nothing is resolved or trimmed. */

/**
 * Without doubled slashes, `.` in the middle and slashes at the end. Links decide what `..` means: it stays.
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

/** The path of what lies in the root, without a slash before it. */
export function relative(path: string, root: string): string {
  return path.slice(root === "/" ? 1 : root.length + 1);
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
