/**
 * Checksums of the bytes that an upload sent. They detect bytes that a server acknowledged but lost. After a
 * power failure, a file can have its full length but contain zeros.
 */
import { createHash, type Hash } from "node:crypto";
import type { Clock } from "../../../../src/domain/clock.ts";

const BLOCK = 8 * 2 ** 20;
/**
 * Time in milliseconds after which acknowledged bytes count as written to the server's disk. Kernels write
 * them within about half a minute.
 */
const WRITTEN_BACK = 2 * 60_000;

export interface Block {
  readonly from: number;
  to: number;
  /** SHA-256 of the block's bytes so far. */
  readonly hash: Hash;
  /** Time of the monotonic clock when the block's last byte was sent. */
  sentAt: number;
}

export class BlockChecksums {
  /** Blocks that might not be on the server's disk yet, in order. */
  readonly #recent: Block[] = [];
  readonly #doubtful = new Set<Block>();

  constructor(private readonly clock: Clock) {}

  /** Adds bytes. They follow the bytes of the previous call. */
  add(bytes: Uint8Array): void {
    const now = this.clock.monotonic();
    for (let at = 0; at < bytes.length;) {
      const last = this.#recent.at(-1);
      if (last === undefined || last.to - last.from === BLOCK) {
        const from = last?.to ?? 0;
        this.#recent.push({ from, to: from, hash: createHash("sha256"), sentAt: now });
        this.#forget(now);
        continue;
      }
      const piece = bytes.subarray(at, at + BLOCK - (last.to - last.from));
      last.hash.update(piece);
      last.to += piece.length;
      last.sentAt = now;
      at += piece.length;
    }
  }

  /** Records a broken connection: the server might have lost the blocks that were not on its disk yet. */
  doubt(): void {
    this.#forget(this.clock.monotonic());
    for (const block of this.#recent) this.#doubtful.add(block);
  }

  /** Returns the blocks to read back, in order of their positions. */
  get doubtful(): readonly Block[] {
    return [...this.#doubtful];
  }

  #forget(now: number): void {
    while (this.#recent.length > 1 && now - this.#recent[0]!.sentAt > WRITTEN_BACK) this.#recent.shift();
  }
}
