/**
 * Recovery codes. A user who has lost the authenticator app enters a recovery code instead of a code of the
 * app. Each recovery code works once.
 */
import { randomBytes } from "node:crypto";

/** Number of recovery codes that a user gets. */
export const RECOVERY_CODES = 10;
/** The 32 characters of recovery codes: capital letters and digits that are hard to confuse. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LENGTH = 16;

/** Returns a new recovery code of 80 random bits, such as `K7QM-2ZXW-…`. */
export function newRecoveryCode(): string {
  const letters = [...randomBytes(LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return letters.match(/.{4}/g)!.join("-");
}

/** Returns a code in the form in which codes are compared: in capitals, without blanks and dashes. */
export function plainCode(code: string): string {
  return code.replaceAll(/[\s-]/g, "").toUpperCase();
}
