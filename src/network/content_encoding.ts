/** Decodes compressed bodies of HTTP responses, which node:http does not decode. */
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";

const DECODERS: Record<string, typeof gunzipSync> = {
  "gzip": gunzipSync,
  "x-gzip": gunzipSync,
  "deflate": inflateSync,
  "br": brotliDecompressSync,
};

/**
 * Decodes a small response body. Some proxies compress responses although the request does not ask for it.
 * Returns the bytes unchanged if the encoding is unknown. Throws if the body is malformed, or decodes to more
 * than `limit` bytes.
 */
export function decodeContent(bytes: Uint8Array, encoding: string | null, limit: number): Uint8Array {
  const decode = DECODERS[encoding?.trim().toLowerCase() ?? ""];
  return decode === undefined || bytes.length === 0 ? bytes : decode(bytes, { maxOutputLength: limit });
}
