/** One range of bytes, as `Range` asks for it (RFC 9110, section 14). */

/** `from` null: the last `to` bytes. `to` null: up to the end; else the position of the last byte. */
export type AskedRange = { from: number; to: number | null } | { from: null; to: number };

/** The bytes [from, to). */
export interface ByteRange {
  from: number;
  to: number;
}

/** Null where everything is to be sent: no range, several of them, or none that can be read. */
export function parseRange(header: string | null): AskedRange | null {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return null;
  if (first === "") return { from: null, to: Number(last) };
  if (last !== "" && Number(last) < Number(first)) return null;
  return { from: Number(first), to: last === "" ? null : Number(last) };
}

/** Null where nothing of it is within `size` bytes. */
export function resolveRange(asked: AskedRange | null, size: number): ByteRange | null {
  if (asked === null) return { from: 0, to: size };
  const range = asked.from === null
    ? { from: Math.max(0, size - asked.to), to: size }
    : { from: asked.from, to: asked.to === null ? size : Math.min(asked.to + 1, size) };
  return range.from < range.to ? range : null;
}
