/**
 * Digest of the listing of an archive. The listing that tar prints while it writes the archive has the same
 * digest as one that it prints while it reads the archive.
 */
import { createHash } from "node:crypto";

export interface ListingDigest {
  members: number;
  /** SHA-256 of all lines of the listing, in order. */
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
 * Returns the parts of a line that are the same in every listing of an archive. These parts differ and are
 * left out: tar counts blocks from another header when it reads than when it writes. It shows attributes
 * (`*`, `+`) only when it writes. Its columns widen from line to line. Its releases print times before 1970
 * or after 9999 differently.
 */
function comparable(line: string): string {
  const quote = line.indexOf('"');
  const head = line.slice(0, quote).replace(/^block \d+: /, "").replace(/^(\S{10})\S?/, "$1");
  const words = head.trimEnd().split(/ +/);
  if (!/^(?:19[7-9]\d|[2-9]\d{3})-/.test(words[3] ?? "")) words.length = Math.min(words.length, 3);
  return words.join(" ") + line.slice(quote);
}
