/** Formats the list of sessions that hold a lock. */

/** Maximum number of sessions in the message. */
const MAX_LISTED = 3;

export function joinNames(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
