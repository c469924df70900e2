/**
 * Keeps keys that were derived from passwords, in memory only. Deriving a key takes a second of processor
 * time and 256 MiB of memory. Without kept keys, a search in many backups would take minutes. Only the keys
 * of indexes are kept. They decrypt names of files, and no contents.
 */
import { createHash } from "node:crypto";
import type { Children } from "../programs/children.ts";
import { deriveKey } from "./scrypt.ts";

/** Maximum number of keys that are kept. The key that was used longest ago is dropped first. */
const MAX_KEPT = 2000;
/**
 * Maximum number of keys that are derived at the same time. It is small because each derivation needs much
 * memory.
 */
const MAX_DERIVATIONS = 2;

/** A function that derives a key like {@link deriveKey}. */
export type Derivation = typeof deriveKey;

/** A derived key, with the passphrase, salt and work factor that it was derived from. */
export interface DerivedKey {
  passphrase: string;
  salt: Uint8Array;
  workFactor: number;
  key: Uint8Array;
}

export class DerivedKeys {
  /**
   * Derived keys. Each is found by a hash of its passphrase, salt and work factor. The key that was used last
   * is at the end.
   */
  readonly #kept = new Map<string, Uint8Array>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(private readonly deriveNew: Derivation = deriveKey) {}

  /** Returns the kept key for these arguments. If there is none, derives the key and keeps it. */
  readonly derive: Derivation = async (children, passphrase, salt, workFactor) => {
    const id = idOf(passphrase, salt, workFactor);
    const kept = this.#kept.get(id) ?? await this.#deriveInTurn(children, passphrase, salt, workFactor);
    this.keep({ passphrase, salt, workFactor, key: kept });
    return kept;
  };

  keep({ passphrase, salt, workFactor, key }: DerivedKey): void {
    const id = idOf(passphrase, salt, workFactor);
    this.#kept.delete(id);
    this.#kept.set(id, key);
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
  }

  async #deriveInTurn(
    children: Children,
    passphrase: string,
    salt: Uint8Array,
    workFactor: number,
  ): Promise<Uint8Array> {
    if (this.#running >= MAX_DERIVATIONS) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await this.deriveNew(children, passphrase, salt, workFactor);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/** The keys of indexes that this agent wrote or read since its start. */
export const indexKeys = new DerivedKeys();

function idOf(passphrase: string, salt: Uint8Array, workFactor: number): string {
  return createHash("sha256").update(JSON.stringify([passphrase, salt.toHex(), workFactor])).digest("hex");
}
