/**
 * Defines the parameters of Argon2id, with the values that OWASP recommends. Also defines the messages to and
 * from the worker that computes the hashes.
 */

/**
 * Parameters of Argon2id: memory in KiB, number of passes, number of lanes. A stored hash with other values
 * is replaced at the next log-in.
 */
export const ARGON2 = { memory: 19_456, passes: 2, lanes: 1 } as const;

/** Beginning of a hash with the current parameters. */
export const ARGON2_PREFIX = `$argon2id$v=19$m=${ARGON2.memory},t=${ARGON2.passes},p=${ARGON2.lanes}$`;

/** A request to the worker: hashes the password, or compares it with `hash`. */
export interface HashRequest {
  readonly id: number;
  readonly password: string;
  /** The hash to compare the password with; if null, the worker computes a new hash of the password. */
  readonly hash: string | null;
}

/** The worker's response: the new hash, or whether the password fits. */
export type HashResponse =
  | { readonly id: number; readonly result: string | boolean }
  | { readonly id: number; readonly error: string };
