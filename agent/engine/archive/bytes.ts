/** File names are bytes; as strings with a character a byte they can be compared, cut and kept in sets. */

import { Buffer } from "node:buffer";

/** The bytes of a text's UTF-8. */
export function byteString(text: string): string {
  return isAscii(text) ? text : latin1(new TextEncoder().encode(text));
}

/** The bytes as they are. */
export function bytesOf(name: string): Uint8Array {
  return Buffer.from(name, "latin1");
}

/** The name as text; bytes that are no UTF-8 are replaced. */
export function textOf(name: string): string {
  return isAscii(name) ? name : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(name));
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

/** What a decoder called latin1 does not do: it takes windows-1252. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
