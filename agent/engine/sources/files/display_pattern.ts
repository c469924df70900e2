/**
 * Returns an entry of `excluded_paths` for a message. The entry is quoted if it has blanks or control
 * characters that would be invisible.
 */
export function displayPattern(given: string): string {
  return /^\s|\s$|\s{2}|\p{Cc}/u.test(given) ? JSON.stringify(given) : given;
}
