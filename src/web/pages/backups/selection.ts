/** The files and directories of a backup that a person has chosen. Pages pass them on in their addresses. */
import { Buffer } from "node:buffer";
import { deflateRawSync, inflateRawSync } from "node:zlib";

/** Maximum number of paths that a restore takes. */
const MAX_PATHS = 1000;
/** Maximum length of compressed paths in an address. Proxies refuse addresses above 8,000 characters. */
const MAX_PACKED = 6000;
/** Maximum length of uncompressed paths in an address. Longer paths are compressed. */
const MAX_PLAIN = 1000;
/** Maximum size of unpacked paths, in bytes. */
const MAX_UNPACKED = 5_000_000;

/** Paths relative to the backup's root. None is inside another one. */
export class Selection {
  private constructor(readonly paths: readonly string[]) {}

  static readonly none = new Selection([]);

  /**
   * Returns the selection of these paths. Leaves out duplicates, and paths inside another one of the paths.
   */
  static of(paths: Iterable<string>): Selection {
    const all = new Set(paths);
    all.delete("");
    return new Selection([...all].filter((path) => !above(path).some((parent) => all.has(parent))).sort());
  }

  /** Reads a selection from an address or a form. `packed` has more paths, which are compressed. */
  static read(paths: readonly string[], packed: string): Selection {
    return Selection.of([...paths, ...unpack(packed)]);
  }

  get isEmpty(): boolean {
    return this.paths.length === 0;
  }

  has(path: string): boolean {
    return this.paths.includes(path);
  }

  /** Returns the chosen directory that contains the path; null if there is none. */
  directoryOf(path: string): string | null {
    return above(path).find((parent) => this.has(parent)) ?? null;
  }

  /**
   * Returns the selection after a person has submitted a list. Of the paths `shown`, exactly the `checked`
   * ones are then selected. The selection of all other paths stays as it was.
   */
  after(shown: readonly string[], checked: readonly string[]): Selection {
    const seen = new Set(shown);
    return Selection.of([...this.paths.filter((path) => !seen.has(path)), ...checked]);
  }

  without(path: string): Selection {
    return new Selection(this.paths.filter((each) => each !== path));
  }

  /** Returns the fields that contain the selection in an address or a form. */
  fields(): [string, string][] {
    const plain = this.paths.map((path): [string, string] => ["paths[]", path]);
    const length = new URLSearchParams(plain).toString().length;
    // Browsers change the line breaks in the fields of forms.
    const isPlain = length <= MAX_PLAIN && !this.paths.some((path) => /[\r\n]/.test(path));
    return isPlain ? plain : [["chosen", pack(this.paths)]];
  }

  /** Returns whether a restore accepts this number of paths, and an address can contain them. */
  get fits(): boolean {
    return this.paths.length <= MAX_PATHS && this.fields().every(([, value]) => value.length <= MAX_PACKED);
  }
}

/** Compresses texts for an address or a hidden field. */
export function pack(texts: readonly string[]): string {
  return texts.length === 0 ? "" : deflateRawSync(texts.join("\0")).toString("base64url");
}

/**
 * Returns the texts that {@link pack} has compressed. Returns an empty list if `packed` cannot be read, for
 * example because a person has changed it.
 */
export function unpack(packed: string): string[] {
  if (packed === "") return [];
  try {
    const bytes = inflateRawSync(Buffer.from(packed, "base64url"), { maxOutputLength: MAX_UNPACKED });
    return bytes.toString().split("\0");
  } catch {
    return [];
  }
}

/** Returns the directories above a path, from the top. */
function above(path: string): string[] {
  const names = path.split("/");
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join("/"));
}
