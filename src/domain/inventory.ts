/** Compares what a server has with what its backup tasks cover. */
import { isThisMachine } from "./database/database_server.ts";

export const INVENTORY_KINDS = ["database", "docker_volume", "file_system", "directory"] as const;

/** Something on a server that could be backed up. The server's agent reports it. */
export interface InventoryItem {
  readonly kind: typeof INVENTORY_KINDS[number];
  /** Type of the database server; null for everything but databases. */
  readonly engine: string | null;
  readonly name: string;
  /** Absolute path; null for databases. */
  readonly path: string | null;
  /** Mount point of the file system that contains the path; null for databases. */
  readonly mount: string | null;
  /** Size in bytes; null if it is not known. */
  readonly size: number | null;
}

/** The source of a backup task: files below a path, or databases of a server. */
export type CoveringSource =
  | { readonly path: string; readonly excluded: readonly string[] }
  | {
    /** Type of the database server; null if the agent finds it out. */
    readonly engine: string | null;
    readonly host: string | null;
    /** Names of databases; `*` means all. */
    readonly names: readonly string[];
  };

/** How much of an item is backed up. */
export type Coverage = "all" | "part" | "none";

/** Returns the id of an item. An item has the same id in every inventory. */
export function itemId({ kind, engine, name, path }: InventoryItem): string {
  return [kind, ...engine === null ? [] : [engine], path ?? name].join(":");
}

/** Returns how much of an item the sources cover. */
export function coverageOf(item: InventoryItem, sources: readonly CoveringSource[]): Coverage {
  const found = sources.map((source) => coverageBy(item, source));
  return found.includes("all") ? "all" : found.includes("part") ? "part" : "none";
}

function coverageBy(item: InventoryItem, source: CoveringSource): Coverage {
  if ("names" in source) {
    const isMeant = item.kind === "database" && isThisMachine(source.host) &&
      (source.engine === null || source.engine === item.engine) &&
      (source.names.includes("*") || source.names.includes(item.name));
    return isMeant ? "all" : "none";
  }
  if (item.path === null) return "none";
  const path = trimmed(source.path);
  if (isWithin(item.path, path)) {
    // A backup does not contain the file systems that are mounted inside of its source.
    const isSameFileSystem = item.mount === null || isWithin(path, item.mount);
    return isSameFileSystem && !isExcluded(item.path, path, source.excluded) ? "all" : "none";
  }
  return isWithin(path, item.path) ? "part" : "none";
}

/** Returns whether `path` is `directory` or below it. Both paths are absolute and have no trailing slash. */
function isWithin(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

function trimmed(path: string): string {
  return path.replaceAll(/\/(\.?\/)+/g, "/").replace(/(?<=.)\/\.?$/, "") || "/";
}

/**
 * Returns whether one of the patterns excludes the path, or excludes a directory of the source that contains
 * the path.
 */
function isExcluded(path: string, source: string, patterns: readonly string[]): boolean {
  const names = path.slice(source === "/" ? 1 : source.length + 1).split("/").filter((name) => name !== "");
  return patterns.some((given) => {
    const pattern = trimmed(given);
    const isAnchored = pattern.startsWith("./") || pattern.startsWith("/");
    const matches = globMatcher(pattern.replace(/^\.\//, ""));
    for (let end = 1; end <= names.length; end++) {
      const starts = isAnchored ? [0] : Array.from({ length: end }, (_, start) => start);
      for (const start of starts) {
        const part = names.slice(start, end).join("/");
        const tested = pattern.startsWith("/") ? `${source === "/" ? "" : source}/${part}` : part;
        if (tested === pattern || matches(tested)) return true;
      }
    }
    return false;
  });
}

/**
 * Returns a function that tells whether a text matches a glob. `*`, `?` and `[…]` do not match a slash. `**`
 * between slashes matches any number of directories.
 */
function globMatcher(glob: string): (text: string) => boolean {
  const source = glob.replaceAll(/\*\*\/|\*\*$|\*|\?|\[!?[^\]]+\]|[\\^$.|+(){}[\]]/g, (part) => {
    if (part === "**/") return "(?:[^/]+/)*";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length > 1) return part.replace(/^\[!/, "[^").replaceAll("\\", "\\\\");
    return `\\${part}`;
  });
  try {
    const expression = new RegExp(`^${source}$`, "su");
    return (text) => expression.test(text);
  } catch {
    // The class of characters is malformed, so the pattern matches only its own text.
    return () => false;
  }
}
