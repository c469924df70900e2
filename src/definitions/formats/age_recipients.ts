/** age public keys, as callers send them. */
import { Encrypter } from "age-encryption";

/**
 * What is wrong with a public key, to follow "The … field"; null for one that archives can be encrypted to:
 * age's own (`age1…`) and its post-quantum ones (`age1pq1…`), whose checksum fits. Never repeats the key, it
 * may be a secret one.
 */
export function recipientProblem(key: string): string | null {
  if (/^age-secret-key-/i.test(key)) {
    return "holds a secret key. Keep it, and send its public key, which age-keygen -y prints";
  }
  const problem = "must be an age public key (age1…) with every character as age-keygen printed it";
  // Keys of hardware tokens: neither agent nor control plane could read such a backup with any identity.
  if (key.startsWith("age1tag")) return problem;
  try {
    new Encrypter().addRecipient(key);
    return null;
  } catch {
    return problem;
  }
}
