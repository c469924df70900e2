/**
 * Converts file names between bytes and byte strings. A byte string has one character for each byte, and can
 * be compared, sliced and kept in sets.
 */

import { Buffer } from "node:buffer";

/** Returns the UTF-8 encoding of a text as a byte string. */
export function byteString(text: string): string {
  return isAscii(text) ? text : latin1(new TextEncoder().encode(text));
}

/** Returns the bytes of a byte string. */
export function bytesOf(name: string): Uint8Array {
  return Buffer.from(name, "latin1");
}

/** Returns a byte string as text; bytes that are not UTF-8 are replaced. */
export function textOf(name: string): string {
  return isAscii(name) ? name : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(name));
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

/**
 * Returns bytes as a byte string. A `TextDecoder` with the label latin1 would be wrong, because it decodes
 * windows-1252.
 */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
