/** File names, which are bytes, as text that people and JSON can hold. */
import { bytesOf, byteString } from "./bytes.ts";

/** What is UTF-8 (the Unicode standard's table 3-7), or else one byte that is not. */
const PIECES =
  /((?:[\0-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+)|[\x80-\xff]/g;

/** @param name A character a byte. Bytes that are not UTF-8 become `\ooo`, in octal. */
export function displayName(name: string): string {
  // Most are; the pieces of others cost ten times as much.
  if (/^[\0-\x7f]*$/.test(name)) return name;
  return name.replace(
    PIECES,
    (piece: string, valid: string | undefined) =>
      valid === undefined
        ? `\\${piece.charCodeAt(0).toString(8)}`
        // The mark of a byte order is part of a name like any other character.
        : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(valid)),
  );
}

/** A name, or a part of one, as searches compare it: in any case, and however its accents are composed. */
export function foldName(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

const ESCAPED = /\\([23][0-7]{2})/g;

/** Whether a name may be one that {@link displayName} shows for another. */
export function isEscaped(name: string): boolean {
  return name.search(ESCAPED) !== -1;
}

/** The bytes that {@link displayName} shows as `text`, where it holds some that are not UTF-8. */
export function nameFromDisplay(text: string): string {
  return byteString(text).replace(
    ESCAPED,
    (_, octal: string) => String.fromCharCode(parseInt(octal, 8)),
  );
}
