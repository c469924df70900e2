/** Validates age public keys, as callers send them. */
import { Encrypter } from "age-encryption";

/**
 * Returns what is wrong with a public key, as the end of a sentence that begins with "The … field". Returns
 * null for a valid age key, `age1…`, and for a valid post-quantum key, `age1pq1…`. The text never contains
 * the key, because users might send a secret key by mistake.
 */
export function recipientProblem(key: string): string | null {
  if (/^age-secret-key-/i.test(key)) {
    return "holds a secret key. Keep it, and send its public key, which age-keygen -y prints";
  }
  const problem = "must be an age public key (age1…) with every character as age-keygen printed it";
  // Refuse keys of hardware tokens, because neither an agent nor the control plane can decrypt with them.
  if (key.startsWith("age1tag")) return problem;
  try {
    new Encrypter().addRecipient(key);
    return null;
  } catch {
    return problem;
  }
}
