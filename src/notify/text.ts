/** Lines of text, cut where a channel takes no more. */

/** Longer labels are cut. */
export const LABEL_LIMIT = 100;

/** On one line, without control characters, and at most `limit` UTF-16 units with no half of a pair. */
export function cut(text: string, limit: number): string {
  // deno-lint-ignore no-control-regex
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
  return cutLines(line, limit);
}

/** The same, with its lines. */
export function cutLines(text: string, limit: number): string {
  if (text.length <= limit) return text.toWellFormed();
  return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "").trimEnd()}…`.toWellFormed();
}
