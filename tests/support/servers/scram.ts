/**
 * Hashes a password in the form in which PostgreSQL stores it: `SCRAM-SHA-256$ITERATIONS:SALT$STORED:SERVER`
 * (RFC 5803).
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/**
 * The number of iterations. A client calculates all of them at every connection. PostgreSQL's default of
 * 4,096 iterations takes milliseconds.
 */
const ITERATIONS = 1;

/** Returns a hash that PostgreSQL accepts in place of the password. */
export function scramHash(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, ITERATIONS, 32, "sha256");
  const keyed = (text: string) => createHmac("sha256", salted).update(text).digest();
  const stored = createHash("sha256").update(keyed("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${
    keyed("Server Key").toString("base64")
  }`;
}
