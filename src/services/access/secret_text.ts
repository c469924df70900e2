/** Makes and hashes the secrets that identify callers: 256 random bits after a prefix. */
import { createHash, randomBytes } from "node:crypto";

/**
 * Returns a new secret. Tokens have the prefix `rg_`, sessions `rgs_`, set-up links and other secrets of
 * log-ins `rgl_`, and triggers of tasks `rgt_`.
 */
export function newSecret(prefix: "rg_" | "rgs_" | "rgl_" | "rgt_"): string {
  return `${prefix}${randomBytes(32).toString("base64url")}`;
}

/**
 * Returns the hash under which a secret is stored. Secrets are looked up by hash. A caller cannot choose a
 * hash, so the time of a look-up reveals nothing about other secrets.
 */
export function hashSecret(plain: string): string {
  return createHash("sha256").update(plain).digest("hex");
}
