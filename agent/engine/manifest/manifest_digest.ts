/**
 * Reads and writes a manifest's own digest. One line of the manifest contains the SHA-256 of the text without
 * this line.
 */
import { createHash } from "node:crypto";

const LINE = /^ {2}"manifest_sha256": "(.*)",\n/m;

/**
 * Returns the text with its digest as the first key.
 * @param text An indented JSON object with at least one key.
 */
export function withDigest(text: string): string {
  return text.replace("\n", `\n  "manifest_sha256": "${digestOf(text)}",\n`);
}

/**
 * Returns whether the manifest was altered, so that its digest does not match the text. Older manifests have
 * no digest; for them the result is false.
 */
export function isOtherThanWritten(text: string): boolean {
  const found = LINE.exec(text);
  return found !== null && found[1] !== digestOf(text.replace(LINE, ""));
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
