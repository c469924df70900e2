/** What a backup's databases hold, as its manifest tells it: in clear, or sealed where the archives are. */
import * as z from "zod";
import type { Children } from "./children.ts";
import { DatabaseContents } from "./sources/row_counts.ts";
import type { DecryptionKey } from "./transforms/decrypt.ts";
import type { FileKeys } from "./transforms/file_keys.ts";

/** By the archive's name. */
export type ArchiveContents = ReadonlyMap<string, DatabaseContents>;

/** Fields of the manifest: of an object, and of the whole. */
export interface ToldContents {
  readonly open: ArchiveContents;
  /** Base64 of an age file, which holds a JSON object from archive's name to contents. */
  readonly sealed: string | null;
}

const Sealed = z.record(z.string(), DatabaseContents);

/** The manifest is never encrypted: names of tables are told as openly as the tables themselves. */
export async function tellContents(
  contents: ArchiveContents,
  keys: FileKeys | null,
): Promise<ToldContents> {
  if (keys === null || contents.size === 0) return { open: contents, sealed: null };
  const { encryptTo } = await import("./transforms/encrypt.ts");
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
  objects: z.array(z.object({
    name: z.string(),
    tables: DatabaseContents.shape.tables.optional(),
    large_objects: DatabaseContents.shape.large_objects,
  })),
  sealed_contents: z.string().optional(),
});

/** From the text of a manifest. Empty where it tells none: of an older backup. Rejects where it is no manifest, or does not open. */
export async function readContents(
  text: string,
  key: DecryptionKey | null,
  children: Children,
): Promise<ArchiveContents> {
  const { objects, sealed_contents: sealed } = Manifest.parse(JSON.parse(text));
  const open = objects.flatMap(({ name, tables, large_objects }) =>
    tables === undefined ? [] : [[name, { tables, large_objects }] as const]
  );
  if (sealed === undefined || key === null) return new Map(open);
  const { decryptStream } = await import("./transforms/decrypt.ts");
  const bytes = Uint8Array.fromBase64(sealed);
  const opened: Uint8Array[] = [];
  const stream = (async function* () {
    yield bytes;
  })();
  for await (const chunk of decryptStream(stream, key, children)) opened.push(chunk.slice());
  return new Map(Object.entries(Sealed.parse(JSON.parse(await new Blob(opened as BlobPart[]).text()))));
}
