/** age public keys, as callers send them. */
import { Encrypter } from "age-encryption";

/**
 * Returns the problem with a public key, to follow "The … field". Returns null for a key that archives can be
 * encrypted to: age's own (`age1…`) or a post-quantum one (`age1pq1…`), with a valid checksum. Never repeats
 * the key, which may be a secret one.
 */
export function recipientProblem(key: string): string | null {
  if (/^age-secret-key-/i.test(key)) {
    return "holds a secret key. Keep it, and send its public key, which age-keygen -y prints";
  }
  const problem = "must be an age public key (age1…) with every character as age-keygen printed it";
  // Keys of hardware tokens: neither an agent nor the control plane could decrypt such a backup with any
  // identity.
  if (key.startsWith("age1tag")) return problem;
  try {
    new Encrypter().addRecipient(key);
    return null;
  } catch {
    return problem;
  }
}
