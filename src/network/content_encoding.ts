/** Decodes compressed HTTP bodies, which node:http leaves as they are. */
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";

const DECODERS: Record<string, typeof gunzipSync> = {
  "gzip": gunzipSync,
  "x-gzip": gunzipSync,
  "deflate": inflateSync,
  "br": brotliDecompressSync,
};

/**
 * Decodes a small body. Some proxies compress responses although the request does not ask for it. Returns the
 * bytes as they are for an unknown encoding. Throws for a body that is malformed, or larger than `limit`
 * bytes.
 */
export function decodeContent(bytes: Uint8Array, encoding: string | null, limit: number): Uint8Array {
  const decode = DECODERS[encoding?.trim().toLowerCase() ?? ""];
  return decode === undefined || bytes.length === 0 ? bytes : decode(bytes, { maxOutputLength: limit });
}
