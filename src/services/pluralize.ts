/** Returns a count with its noun: `1 backup`, `2 backups`. */
export function pluralize(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
