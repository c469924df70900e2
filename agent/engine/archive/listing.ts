/**
 * Digest of the list of an archive's members. Two lists of the same archive have the same digest, whether tar
 * printed them while it wrote the archive or while it listed it.
 */
import { createHash } from "node:crypto";

export interface ListingDigest {
  members: number;
  /** SHA-256 of all lines, in order. */
  digest: string;
}

export class Listing {
  readonly #hash = createHash("sha256");
  #members = 0;

  /** Adds a line of `tar --verbose`, with or without the block at which the member begins. */
  add(line: string): void {
    this.#members++;
    this.#hash.update(comparable(line)).update("\n");
  }

  end(): ListingDigest {
    return { members: this.#members, digest: this.#hash.digest("hex") };
  }
}

/**
 * Returns the parts of a line that are the same in every list of an archive. tar counts blocks from another
 * header when it lists than when it writes. It marks attributes (`*`, `+`) only when it writes, and its
 * columns widen from line to line. Its releases differ in how they print times before 1970 or after 9999, so
 * these are left out.
 */
function comparable(line: string): string {
  const quote = line.indexOf('"');
  const head = line.slice(0, quote).replace(/^block \d+: /, "").replace(/^(\S{10})\S?/, "$1");
  const words = head.trimEnd().split(/ +/);
  if (!/^(?:19[7-9]\d|[2-9]\d{3})-/.test(words[3] ?? "")) words.length = Math.min(words.length, 3);
  return words.join(" ") + line.slice(quote);
}
