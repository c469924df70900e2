/**
 * A list of an archive's members, boiled down to what two lists must have in common to be of the same
 * archive.
 */
import { createHash } from "node:crypto";

export interface ListingFigures {
  members: number;
  /** Of every line, in order. */
  digest: string;
}

export class Listing {
  readonly #hash = createHash("sha256");
  #members = 0;

  /** A line as `tar --verbose` prints it, with or without the block that the member begins in. */
  add(line: string): void {
    this.#members++;
    this.#hash.update(comparable(line)).update("\n");
  }

  end(): ListingFigures {
    return { members: this.#members, digest: this.#hash.digest("hex") };
  }
}

/**
 * tar counts blocks from another header when it lists than when it writes, marks attributes (`*`, `+`) only
 * when it writes, and widens its columns as it goes. Its releases differ in how they tell times before 1970
 * or after 9999, which are left out.
 */
function comparable(line: string): string {
  const quote = line.indexOf('"');
  const head = line.slice(0, quote).replace(/^block \d+: /, "").replace(/^(\S{10})\S?/, "$1");
  const words = head.trimEnd().split(/ +/);
  if (!/^(?:19[7-9]\d|[2-9]\d{3})-/.test(words[3] ?? "")) words.length = Math.min(words.length, 3);
  return words.join(" ") + line.slice(quote);
}
