/**
 * Computes the digest of an archive's listing. The digest is the same whether tar printed the listing while
 * it wrote the archive or while it read the archive.
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

  /**
   * Adds a line of `tar --verbose`. The line can begin with the member's block number; the digest ignores it.
   */
  add(line: string): void {
    this.#members++;
    this.#hash.update(comparable(line)).update("\n");
  }

  end(): ListingDigest {
    return { members: this.#members, digest: this.#hash.digest("hex") };
  }
}

/**
 * Returns the parts of a line that are the same in every listing of an archive. Leaves out these parts:
 * - The block number. tar counts blocks from one header when it writes an archive, and from another when it
 *   reads.
 * - The marks of attributes, `*` and `+`. tar shows them only when it writes.
 * - The width of the columns. It grows from line to line.
 * - Times before 1970 or after 9999. Releases of tar print them differently.
 */
function comparable(line: string): string {
  const quote = line.indexOf('"');
  const head = line.slice(0, quote).replace(/^block \d+: /, "").replace(/^(\S{10})\S?/, "$1");
  const words = head.trimEnd().split(/ +/);
  if (!/^(?:19[7-9]\d|[2-9]\d{3})-/.test(words[3] ?? "")) words.length = Math.min(words.length, 3);
  return words.join(" ") + line.slice(quote);
}
