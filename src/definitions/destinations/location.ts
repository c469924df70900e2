/** Computes where a task's objects are stored at its destination. */
import { InvalidError } from "../../domain/errors.ts";
import { innerSegments, joinDirectory } from "../../domain/location.ts";
import { definitionOf } from "./registry.ts";
import type { TypedSettings } from "./settings.ts";

/**
 * Returns the directory of a task's objects: the destination's own directory with `storePath` appended. In a
 * bucket, this is the prefix of the objects' keys, without leading or trailing slash. Throws an
 * {@link InvalidError} if `storePath` would lead outside the destination.
 */
export function destinationDirectory({ type, settings }: TypedSettings, storePath: string | null): string {
  const inside = innerSegments(storePath ?? "");
  if (inside.some((segment) => segment === ".." || segment.includes("\0"))) {
    throw new InvalidError({ store_path: ["The store path must not contain .. or a NUL character."] });
  }
  const base = definitionOf(type).base(settings);
  return base === "" ? inside.join("/") : joinDirectory(base, inside);
}

/**
 * Returns the directory for new objects, as {@link destinationDirectory} does. Throws an {@link InvalidError}
 * for the root directory if the type does not allow objects there.
 */
export function objectDirectory(destination: TypedSettings, storePath: string | null): string {
  const directory = destinationDirectory(destination, storePath);
  const { refusedRoot } = definitionOf(destination.type);
  if (refusedRoot === undefined || directory !== "/") return directory;
  throw new InvalidError({ store_path: [refusedRoot.storing] });
}
