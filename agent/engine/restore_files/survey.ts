/** Counts the members that a restore unpacks, as the archive's index lists them. */
import type { Member } from "../archive/archive_index.ts";
import type { Range } from "../archive/archive_ranges.ts";

/** The members that a restore unpacks. */
export interface Contents {
  /** Number of members that are not directories. */
  readonly filesCount: number;
  /** Number of directories, without the root. */
  readonly directoriesCount: number;
  /** Sum of the sizes of the files, in bytes. */
  readonly bytes: number;
  /** Space that the members' contents take in the archive, in bytes. */
  readonly storedBytes: number;
  /** Number of members of each owner. The keys are the ids of the owners. */
  readonly owners: ReadonlyMap<number, number>;
}

/** Size of a member's header in the archive, in bytes. */
const HEADER_BYTES = 512;

/** Counts members one by one. */
export class MemberCount {
  #files = 0;
  #directories = 0;
  #bytes = 0;
  #stored = 0;
  readonly #owners = new Map<number, number>();

  add({ name, size, type, uid }: Member, { from, to }: Range): void {
    if (name === "") return;
    if (type === "directory") this.#directories++;
    else this.#files++;
    if (type !== "unknown") this.#owners.set(uid, (this.#owners.get(uid) ?? 0) + 1);
    this.#bytes += size;
    if (size > 0) this.#stored += Math.min(size, Math.max(to - from - HEADER_BYTES, 0));
  }

  /**
   * Counts the content of a file that is not restored, if a hard link to it is restored. The content is
   * written under the name of the hard link.
   */
  addLinked({ size }: Member): void {
    this.#bytes += size;
    this.#stored += size;
  }

  get contents(): Contents {
    return {
      filesCount: this.#files,
      directoriesCount: this.#directories,
      bytes: this.#bytes,
      storedBytes: this.#stored,
      owners: this.#owners,
    };
  }
}
