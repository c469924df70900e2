/**
 * Inspects the contents of a backup's objects while they are read back, and compares the objects with each
 * other.
 */
import * as z from "zod";
import { type BackupToRead, StoredObject } from "../../../src/protocol/job.ts";
import { describeUnreadableLines, type FrameTable } from "../archive/archive_index.ts";
import type { Children } from "../programs/children.ts";
import type { ListingDigest } from "../archive/listing.ts";
import { RunFailedError } from "../ports.ts";
import type { Bytes, Inspector } from "../jobs/read_back.ts";
import { checkStoredEnd, formatOf } from "../sources/stored_end.ts";
import { FrameWatch, type StreamEnd } from "../transforms/frames.ts";
import { type IndexSummary, walkArchive, walkIndex, walkStream } from "../archive/walk.ts";

const Manifest = z.object({
  format: z.literal("rearguard-backup"),
  objects: z.array(StoredObject.extend({ role: z.enum(["archive", "index"]) })),
});

const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

export class BackupContents {
  /** Whether the archives can't be decrypted, because they are encrypted and no key is given. */
  readonly isSealed: boolean;
  /** Summaries of the indexes that were read completely, by database. */
  readonly #indexes = new Map<string | null, IndexSummary>();
  #files: number | null = null;
  /** Comparisons that were impossible although the object is undamaged, one line each. */
  readonly notes: string[] = [];

  constructor(private readonly backup: BackupToRead, private readonly workDirectory: string) {
    this.isSealed = backup.key === null && backup.objects.some(({ name }) => name.endsWith(".age"));
  }

  /**
   * Number of files in the archive that was inspected last. Archives whose index was not inspected before
   * them do not count. Null if no archive counts.
   */
  get filesCount(): number | null {
    return this.#files;
  }

  /**
   * Returns a function that inspects the object; null if the object can't be decrypted. Indexes must be
   * inspected before their archives.
   */
  inspectorFor(object: StoredObject, children: Children): Inspector | null {
    if (object.role === "manifest") return ({ chunks }) => this.#manifest(chunks);
    if (this.isSealed) return null;
    return async (stored) => {
      const opened = await this.#open(stored, children);
      if (object.role === "index") await this.#index(object, opened, children);
      else await this.#archive(object, opened, children);
    };
  }

  /** Returns text about an undamaged object for the run's output; empty if there is nothing to say. */
  describe({ role }: StoredObject): string {
    return role === "archive" && this.#files !== null ? `, ${this.#files} files` : "";
  }

  async #open(stored: Bytes, children: Children): Promise<Bytes> {
    const { key } = this.backup;
    if (key === null) return stored;
    const { decryptStream } = await import("../transforms/decrypt.ts");
    return { chunks: decryptStream(stored.chunks, key, children), path: null };
  }

  async #index(
    object: StoredObject,
    { chunks }: Bytes,
    children: Children,
  ): Promise<void> {
    const stats = await walkIndex(chunks, children);
    const { files_count } = this.backup;
    const { unreadable } = stats;
    if (unreadable !== null) this.notes.push(describeUnreadableLines(object.name, unreadable));
    if (files_count !== null && files_count !== stats.files) {
      throw new RunFailedError(`it lists ${stats.files} files, ${files_count} were stored`);
    }
    this.#indexes.set(object.database, stats);
  }

  async #archive(
    object: StoredObject,
    opened: Bytes,
    children: Children,
  ): Promise<void> {
    const index = this.#indexes.get(object.database);
    const watch = new FrameWatch(opened.path);
    const isTar = formatOf(object.name) === "tar";
    let listed: ListingDigest | null = null;
    if (isTar) listed = await walkArchive(opened, watch, children, this.workDirectory);
    else await walkStream(opened, watch, children);
    const end = await watch.end(children);
    await checkStoredEnd(object, this.backup.source?.type ?? null, watch, end, children);
    if (index === undefined) return;
    if (listed !== null) this.#compareMembers(object.name, listed, index);
    if (index.table !== null) compareFrames(end, index.table);
    this.#files = index.files;
  }

  /**
   * Throws if an archive's listing differs from its index. If the index has unreadable lines, records a note
   * about the difference and does not throw.
   */
  #compareMembers(name: string, listed: ListingDigest, index: IndexSummary): void {
    if (listed.members === index.members && listed.digest === index.digest) return;
    const how = listed.members === index.members
      ? "others than its index lists"
      : `where its index lists ${index.members}`;
    const difference = `it holds ${listed.members} members, ${how}`;
    if (!index.hasUnparsed) throw new RunFailedError(difference);
    this.notes.push(`${name}: ${difference}, in which some lines can't be read`);
  }

  async #manifest(stored: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of stored) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_MANIFEST_BYTES) throw new RunFailedError("it is too long for a manifest");
    }
    const parsed = readManifest(text);
    if (parsed === null) {
      this.notes.push("The manifest is as it was stored, but can't be read: another release wrote it.");
      return;
    }
    for (const { role, name, size, sha256 } of this.backup.objects) {
      if (role === "manifest") continue;
      const own = parsed.objects.find((object) => object.name === name);
      if (own?.size !== size || own.sha256 !== sha256) {
        throw new RunFailedError(`it does not list ${name}`);
      }
    }
  }
}

/** Parses a manifest. Returns null if this release can't read its format. */
function readManifest(text: string): z.infer<typeof Manifest> | null {
  try {
    return Manifest.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function compareFrames({ frames }: StreamEnd, table: FrameTable): void {
  const { compressed, checksums } = frames;
  const same = compressed.length === table.compressed.length &&
    compressed.every((size, index) =>
      size === table.compressed[index] &&
      (table.checksums === null || table.checksums[index] === checksums?.[index])
    );
  if (!same) throw new RunFailedError("its frames are not those that its index lists");
}
