/**
 * The description of databases' contents in a manifest: plain text, or encrypted if the archives are
 * encrypted.
 */
import * as z from "zod";
import type { BackupToRead } from "../../../src/protocol/job.ts";
import type { Children } from "../programs/children.ts";
import { DatabaseContents } from "../sources/database/row_counts.ts";
import type { StoredObjects } from "../jobs/stored_objects.ts";
import type { DecryptionKey } from "../transforms/decrypt.ts";
import type { FileKeys } from "../transforms/file_keys.ts";

/** The contents of databases, by the name of the archive. */
export type ArchiveContents = ReadonlyMap<string, DatabaseContents>;

/**
 * The contents as a manifest stores them: in `sealed` if the archives are encrypted, and in `open` if they
 * are not.
 */
export interface ManifestContents {
  readonly open: ArchiveContents;
  /**
   * The contents as an age file in base64; null if the contents are not encrypted. The file contains a JSON
   * object that maps names of archives to contents.
   */
  readonly sealed: string | null;
}

const Sealed = z.record(z.string(), DatabaseContents);

/**
 * Returns the contents for the manifest. Encrypts them if there are keys, because the manifest is plain text
 * and table names may be confidential.
 */
export async function encodeContents(
  contents: ArchiveContents,
  keys: FileKeys | null,
): Promise<ManifestContents> {
  if (keys === null || contents.size === 0) return { open: contents, sealed: null };
  const { encryptTo } = await import("../transforms/encrypt.ts");
  const chunks: Uint8Array[] = [];
  const sink = {
    write: (chunk: Uint8Array) => Promise.resolve(void chunks.push(chunk.slice())),
    end: async () => {},
  };
  const encrypted = await encryptTo(sink, await keys.take());
  await encrypted.write(new TextEncoder().encode(JSON.stringify(Object.fromEntries(contents))));
  await encrypted.end();
  return { open: new Map(), sealed: (await new Blob(chunks as BlobPart[]).bytes()).toBase64() };
}

const Manifest = z.object({
  objects: z.array(DatabaseContents.extend({ name: z.string(), bytes_read: z.number().optional() })),
  sealed_contents: z.string().optional(),
});

/**
 * Reads the databases' contents from a manifest's text. Returns an empty map for an older backup, whose
 * manifest has no contents. Rejects if the text is not a manifest, or if the key does not decrypt the
 * contents.
 */
async function readContents(
  text: string,
  key: DecryptionKey | null,
  children: Children,
): Promise<ArchiveContents> {
  const { objects, sealed_contents: sealed } = Manifest.parse(JSON.parse(text));
  const open = objects.flatMap(({ name, bytes_read: _, ...contents }) =>
    Object.values(contents).every((value) => value === undefined) ? [] : [[name, contents] as const]
  );
  if (sealed === undefined || key === null) return new Map(open);
  const { decryptStream } = await import("../transforms/decrypt.ts");
  const bytes = Uint8Array.fromBase64(sealed);
  const opened: Uint8Array[] = [];
  const stream = (async function* () {
    yield bytes;
  })();
  for await (const chunk of decryptStream(stream, key, children)) opened.push(chunk.slice());
  return new Map(Object.entries(Sealed.parse(JSON.parse(await new Blob(opened as BlobPart[]).text()))));
}

export interface StoredContents {
  readonly contents: ArchiveContents;
  /** Uncompressed size of each archive in bytes, by the archive's name. */
  readonly sizes: ReadonlyMap<string, number>;
}

/**
 * Returns the contents in the backup's manifest, after verifying the manifest's SHA-256. The contents are
 * empty if the backup has no manifest.
 */
export async function storedContents(
  backup: BackupToRead,
  objects: StoredObjects,
  children: Children,
): Promise<StoredContents> {
  const manifest = backup.objects.find(({ role }) => role === "manifest");
  if (manifest === undefined) return { contents: new Map(), sizes: new Map() };
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.whole(manifest)) chunks.push(chunk.slice());
  const text = await new Blob(chunks as BlobPart[]).text();
  const sizes = Manifest.parse(JSON.parse(text)).objects.map(({ name, bytes_read = 0 }) =>
    [name, bytes_read] as const
  );
  return { contents: await readContents(text, backup.key, children), sizes: new Map(sizes) };
}
