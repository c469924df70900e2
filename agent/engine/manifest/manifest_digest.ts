/** A manifest's own digest: one line of the text holds the SHA-256 of the text without that line. */
import { createHash } from "node:crypto";

const LINE = /^ {2}"manifest_sha256": "(.*)",\n/m;

/**
 * Adds the digest as the first key.
 * @param text An indented JSON object that is not empty.
 */
export function withDigest(text: string): string {
  return text.replace("\n", `\n  "manifest_sha256": "${digestOf(text)}",\n`);
}

/**
 * Returns whether the digest does not match the text. Older manifests have no digest and are accepted.
 */
export function isOtherThanWritten(text: string): boolean {
  const found = LINE.exec(text);
  return found !== null && found[1] !== digestOf(text.replace(LINE, ""));
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
