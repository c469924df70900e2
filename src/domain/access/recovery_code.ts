/** Recovery codes: each replaces one code of an authenticator app that is lost. */
import { randomBytes } from "node:crypto";

/** Number of recovery codes that a user gets. */
export const RECOVERY_CODES = 10;
/** Letters and digits that are hard to confuse, 32 of them. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LENGTH = 16;

/** Returns a new recovery code of 80 random bits, such as `K7QM-2ZXW-…`. */
export function newRecoveryCode(): string {
  const letters = [...randomBytes(LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return letters.match(/.{4}/g)!.join("-");
}

/** Returns a code as it is compared: without blanks and dashes, in capitals. */
export function plainCode(code: string): string {
  return code.replaceAll(/[\s-]/g, "").toUpperCase();
}
