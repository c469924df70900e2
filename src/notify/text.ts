/** Formats text, and cuts it to the limits of channels. */

/** Maximum number of characters of a label. */
export const LABEL_LIMIT = 100;

/** Formats a size in bytes, such as `1.2 GB`. */
export function formatBytes(size: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let power = 0;
  while (size >= 1000 && power < units.length - 1) {
    size /= 1000;
    power++;
  }
  return `${power === 0 ? size : size.toFixed(1)} ${units[power]}`;
}

/**
 * Joins text into one line without control characters, and cuts it to `limit` UTF-16 units without splitting
 * a surrogate pair.
 */
export function cut(text: string, limit: number): string {
  // deno-lint-ignore no-control-regex
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
  return cutLines(line, limit);
}

/** Cuts text to `limit` UTF-16 units without splitting a surrogate pair, but keeps its lines. */
export function cutLines(text: string, limit: number): string {
  if (text.length <= limit) return text.toWellFormed();
  return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "").trimEnd()}…`.toWellFormed();
}
