import { decodeContent } from "./content_encoding.ts";

/**
 * Reads and decodes a response's body. Returns null if the response has none. Throws if the body, or what it
 * decodes to, exceeds `limit` bytes.
 */
export async function limitedBytes({ body, headers }: Response, limit: number): Promise<Uint8Array | null> {
  if (body === null) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new Error(`the answer exceeds ${limit} bytes`);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  return decodeContent(bytes, headers.get("content-encoding"), limit);
}
