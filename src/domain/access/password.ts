/**
 * The rules for passwords. A password has a minimum and a maximum length. Some passwords that are easy to
 * guess are refused.
 */

/** Minimum number of characters of a password. */
const MIN_PASSWORD = 12;
/** Maximum number of characters of a password. */
export const MAX_PASSWORD = 1024;

/**
 * Returns why a new password is refused; null if the password is accepted. The reason is the end of a
 * sentence, such as `must have …`.
 */
export function passwordProblem(password: string, email: string): string | null {
  const length = [...password].length;
  if (length < MIN_PASSWORD) return `must have at least ${MIN_PASSWORD} characters`;
  if (length > MAX_PASSWORD) return `must have at most ${MAX_PASSWORD} characters`;
  if (password.trim().toLowerCase() === email.trim().toLowerCase()) return "must not be the email address";
  return new Set(password).size === 1 ? "must not repeat one character" : null;
}
