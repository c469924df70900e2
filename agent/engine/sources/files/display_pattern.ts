/**
 * Returns an entry of `excluded_paths` for a message. It is quoted if its blanks or control characters would
 * be invisible.
 */
export function displayPattern(given: string): string {
  return /^\s|\s$|\s{2}|\p{Cc}/u.test(given) ? JSON.stringify(given) : given;
}
