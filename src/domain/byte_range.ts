/** Parses the byte range of a `Range` header (RFC 9110, section 14). */

/**
 * A requested range. Two numbers are the positions of the first and the last byte. If `to` is null, the range
 * extends to the end. If `from` is null, the range is the last `to` bytes.
 */
export type RequestedRange = { from: number; to: number | null } | { from: null; to: number };

/** The bytes from position `from` up to, but not including, `to`. */
export interface ByteRange {
  from: number;
  to: number;
}

/**
 * Returns the requested range; null for the whole content. The whole content is meant if the header is
 * missing or invalid, or names several ranges.
 */
export function parseRange(header: string | null): RequestedRange | null {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return null;
  if (first === "") return { from: null, to: Number(last) };
  if (last !== "" && Number(last) < Number(first)) return null;
  return { from: Number(first), to: last === "" ? null : Number(last) };
}

/**
 * Returns the requested range of a content with `size` bytes; null if the content has none of these bytes.
 */
export function resolveRange(requested: RequestedRange | null, size: number): ByteRange | null {
  if (requested === null) return { from: 0, to: size };
  const range = requested.from === null
    ? { from: Math.max(0, size - requested.to), to: size }
    : { from: requested.from, to: requested.to === null ? size : Math.min(requested.to + 1, size) };
  return range.from < range.to ? range : null;
}
