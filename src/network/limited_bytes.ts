import { decodeContent } from "./content_encoding.ts";

/**
 * Reads and decodes a response's body. Returns null if the response has no body. Throws if the body has more
 * than `limit` bytes, before or after decoding.
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
