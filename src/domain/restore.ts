/** What a restore is asked for, and what can be told of it without looking at the backup's contents. */
import { InvalidError } from "./errors.ts";

/** Kept with the run: never a secret. */
export interface RestoreOptions {
  /** Null: where the backup came from. */
  readonly target_path: string | null;
  /** Relative to the source's root. Empty: everything. */
  readonly paths: readonly string[];
  readonly overwrite: boolean;
  /** An identity was passed for it, which is kept beside the run in memory alone. */
  readonly with_identity?: true;
}

/** Paths as they stand in an archive, without `./` and slashes too many. Throws an {@link InvalidError} where one names its root. */
export function archivePaths(paths: readonly string[]): string[] {
  return paths.map((path) => {
    const inside = path.split("/").filter((segment) => segment !== "" && segment !== ".").join("/");
    if (inside !== "") return inside;
    throw new InvalidError({
      paths: ["A path names the whole backup. Leave paths out to restore all of it."],
    });
  });
}
