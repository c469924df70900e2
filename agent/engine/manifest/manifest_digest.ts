/** A manifest's digest of itself: a line of its own, without which the rest of the text has that SHA-256. */
import { createHash } from "node:crypto";

const LINE = /^ {2}"manifest_sha256": "(.*)",\n/m;

/** @param text An indented JSON object that is not empty. */
export function withDigest(text: string): string {
  return text.replace("\n", `\n  "manifest_sha256": "${digestOf(text)}",\n`);
}

/**
 * Whether its digest is that of another text. One of before manifests had digests has none, and is taken as
 * it is.
 */
export function isOtherThanWritten(text: string): boolean {
  const found = LINE.exec(text);
  return found !== null && found[1] !== digestOf(text.replace(LINE, ""));
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
