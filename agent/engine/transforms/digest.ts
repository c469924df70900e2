/** Counts and hashes the bytes that are written to a destination. */
import { createHash } from "node:crypto";
import type { Sink } from "./sink.ts";

export class Digest implements Sink {
  readonly #hash = createHash("sha256");
  #size = 0;

  constructor(private readonly next: { write(chunk: Uint8Array): Promise<void> }) {}

  /** Number of bytes written so far. */
  get size(): number {
    return this.#size;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    await this.next.write(chunk);
  }

  async end(): Promise<void> {}

  /** Returns the SHA-256 of the written bytes in hex. Must not be called before the end, or twice. */
  sha256(): string {
    return this.#hash.digest("hex");
  }
}
