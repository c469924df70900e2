/** Where a task's objects lie at its destination. */
import { InvalidError } from "./errors.ts";

export interface DestinationRoot {
  readonly type: "local" | "s3" | "custom_s3" | "sftp";
  readonly local_path: string | null;
  readonly sftp_path: string | null;
}

/**
 * Returns the directory of a task's objects. `local_path` (default `/`, see {@link objectDirectory}) or
 * `sftp_path` (default `.`, the account's home directory) is joined with `storePath`. For S3, returns the key
 * prefix, without a leading or trailing slash; it is empty at the bucket's root. Throws an {@link
 * InvalidError} on `store_path` if it would lead outside the destination.
 */
export function destinationDirectory(place: DestinationRoot, storePath: string | null): string {
  const inside = segments(storePath ?? "");
  if (inside.some((segment) => segment === ".." || segment.includes("\0"))) {
    throw new InvalidError({ store_path: ["The store path must not hold .. or a NUL character."] });
  }
  switch (place.type) {
    case "local":
      return join(place.local_path ?? "/", inside);
    case "sftp":
      return join(place.sftp_path ?? ".", inside);
    case "s3":
    case "custom_s3":
      return inside.join("/");
  }
}

/**
 * Returns {@link destinationDirectory} for new objects, which may not be written into the root directory
 * itself.
 */
export function objectDirectory(place: DestinationRoot, storePath: string | null): string {
  const directory = destinationDirectory(place, storePath);
  if (place.type !== "local" || directory !== "/") return directory;
  throw new InvalidError({
    store_path: ["The store path field is required when the backup destination has no local path."],
  });
}

/**
 * Returns a directory's path after everything below `base` was moved to `next`; null if it is not below
 * `base`.
 */
export function movedDirectory(directory: string, base: string, next: string): string | null {
  const [parts, baseParts] = [segments(directory), segments(base)];
  const isInside = directory.startsWith("/") === base.startsWith("/") &&
    baseParts.every((segment, index) => parts[index] === segment);
  return isInside ? join(next, parts.slice(baseParts.length)) : null;
}

/** The key of an object in a bucket. */
export function objectKey(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

function join(base: string, inside: string[]): string {
  const parts = [...segments(base), ...inside].join("/");
  return base.startsWith("/") ? `/${parts}` : parts || ".";
}

/** Empty and `.` segments say nothing. */
function segments(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "" && segment !== ".");
}
