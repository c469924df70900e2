/** Hashes passwords with Argon2id, in a worker with a bounded queue. */
import { UnavailableError } from "../../domain/errors.ts";
import { ARGON2_PREFIX, type HashRequest, type HashResponse } from "./argon2.ts";

/** Maximum number of passwords that wait for the worker. */
const MAX_WAITING = 50;

/**
 * A hash with the current parameters that fits no password. Comparing a password with this hash takes as long
 * as comparing it with a user's hash.
 */
const NOBODYS_HASH = `${ARGON2_PREFIX}${"A".repeat(22)}$${"A".repeat(43)}`;

interface Waiting {
  resolve(result: string | boolean): void;
  reject(error: Error): void;
}

/** Starts its worker when the first password is hashed. Disposing the hasher ends the worker. */
export class PasswordHasher implements Disposable {
  #worker: Worker | null = null;
  #nextId = 1;
  readonly #waiting = new Map<number, Waiting>();

  /**
   * Returns the hash of a new password in PHC format. Throws an {@link UnavailableError} if
   * {@link MAX_WAITING} passwords already wait.
   */
  async hash(password: string): Promise<string> {
    return await this.#compute(password, null) as string;
  }

  /**
   * Returns whether the password fits the hash. If the hash is null, returns false after the time that a
   * comparison takes. Throws an {@link UnavailableError} if {@link MAX_WAITING} passwords already wait.
   */
  async verify(hash: string | null, password: string): Promise<boolean> {
    const fits = await this.#compute(password, hash ?? NOBODYS_HASH) as boolean;
    return fits && hash !== null;
  }

  /** Returns whether a hash has the current parameters. */
  isCurrent(hash: string): boolean {
    return hash.startsWith(ARGON2_PREFIX);
  }

  #compute(password: string, hash: string | null): Promise<string | boolean> {
    if (this.#waiting.size >= MAX_WAITING) {
      throw new UnavailableError("Too many log-ins are waiting; try again in a moment.");
    }
    const request: HashRequest = { id: this.#nextId++, password: password.normalize("NFC"), hash };
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      this.#started().postMessage(request);
    });
  }

  #started(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(new URL("./argon2_worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<HashResponse>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ("error" in data) waiting?.reject(new Error(`Cannot hash a password: ${data.error}`));
      else waiting?.resolve(data.result);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#end(new Error(`Cannot hash a password: ${event.message}`));
    };
    return this.#worker = worker;
  }

  #end(error: Error): void {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  [Symbol.dispose](): void {
    this.#end(new Error("Cannot hash a password: the control plane stops"));
  }
}
