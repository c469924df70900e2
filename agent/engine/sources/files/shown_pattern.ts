/** An entry of `excluded_paths` in a message: quoted where blanks or control characters would not be seen. */
export function shownPattern(given: string): string {
  return /^\s|\s$|\s{2}|\p{Cc}/u.test(given) ? JSON.stringify(given) : given;
}
