/** Converts file names to text for people and JSON. A file name can contain any bytes. */
import { bytesOf, byteString } from "./bytes.ts";

/** Matches one UTF-8 character (table 3-7 of the Unicode standard), or one byte that is not UTF-8. */
const PIECES =
  /((?:[\0-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+)|[\x80-\xff]/g;

/**
 * Returns a name as text. Bytes that are not UTF-8 become `\ooo`, in octal.
 *
 * @param name A byte string.
 */
export function displayName(name: string): string {
  // Return ASCII names at once, because most names are ASCII and splitting a name takes ten times as long.
  if (/^[\0-\x7f]*$/.test(name)) return name;
  return name.replace(
    PIECES,
    (piece: string, valid: string | undefined) =>
      valid === undefined
        ? `\\${piece.charCodeAt(0).toString(8)}`
        // Keep a byte order mark: it is part of the name like any other character.
        : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(valid)),
  );
}

/**
 * Returns a name, or a part of a name, in the form that searches compare: in lower case, and with accents in
 * composed form (NFC).
 */
export function foldName(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

const ESCAPED = /\\([23][0-7]{2})/g;

/**
 * Returns whether a name contains an escape like those that {@link displayName} writes. A name with an escape
 * might be the display name of another name.
 */
export function isEscaped(name: string): boolean {
  return name.search(ESCAPED) !== -1;
}

/**
 * Returns the byte string of a name from its display name. Reverses {@link displayName} for names with bytes
 * that are not UTF-8.
 */
export function nameFromDisplay(text: string): string {
  return byteString(text).replace(
    ESCAPED,
    (_, octal: string) => String.fromCharCode(parseInt(octal, 8)),
  );
}
