/** One file being written over SFTP: many writes on the way at once, renamed when all of them are on the disk. */
import { Buffer } from "node:buffer";
import { type ObjectWriter, RunFailedError } from "../ports.ts";
import type { SftpSession } from "./sftp_session.ts";

/** What a server's window lets through before it answers; more would only wait in memory here. */
const OUTSTANDING = 2 * 2 ** 20;
/** Larger pieces cost fewer answers; above this they are no faster. */
const PIECE = 128 * 1024;

export class SftpWriter implements ObjectWriter {
  #position = 0;
  #uncollected = 0;
  #outstanding = 0;
  #failure: unknown = null;
  #wake = () => {};
  #isOpen = true;
  #isPublished = false;

  constructor(
    private readonly session: SftpSession,
    private readonly handle: Buffer,
    private readonly partial: string,
    private readonly final: string,
    private readonly signal: AbortSignal,
    /** Removes files on whatever connection can still be had. */
    private readonly removeFiles: (paths: readonly string[]) => Promise<unknown>,
  ) {}

  async write(chunk: Uint8Array): Promise<void> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const piece = Math.min(PIECE, this.session.writeLimit);
    for (let at = 0; at < bytes.length;) {
      const length = Math.min(piece, bytes.length - at);
      await this.#until(() => this.#outstanding + length <= OUTSTANDING);
      this.#send(bytes, at, length);
      at += length;
      this.#collect(length);
    }
  }

  async commit(): Promise<void> {
    await this.#until(() => this.#outstanding === 0);
    await this.session.sync(this.final, this.handle);
    this.#isOpen = false;
    await this.session.closeFile(this.final, this.handle);
    await this.#proveSize(this.partial);
    this.#isPublished = true;
    try {
      await this.session.rename(this.partial, this.final);
    } catch (error) {
      // Refused, the final name is another's. With the connection lost it may be done, and be this object's.
      this.#isPublished = this.session.isLost;
      throw error;
    }
    await this.#proveSize(this.final);
  }

  async abort(): Promise<void> {
    this.#failure ??= new RunFailedError(`The upload of ${this.final} was given up`);
    if (this.#isOpen && !this.session.isLost) {
      this.#isOpen = false;
      // The file is removed: whether its last bytes got there does not matter.
      await this.session.closeFile(this.partial, this.handle).catch(() => {});
    }
    await this.removeFiles(this.#isPublished ? [this.partial, this.final] : [this.partial]);
  }

  /** ssh2 copies the bytes before it returns. */
  #send(bytes: Buffer, at: number, length: number): void {
    this.#outstanding += length;
    this.session.sftp.write(this.handle, bytes, at, length, this.#position, (error) => {
      this.#outstanding -= length;
      if (error) this.#failure ??= error;
      this.#wake();
    });
    this.#position += length;
  }

  /** Where the agent was started with `--expose-gc`: copies pile up to 50 MB before V8 looks after them by itself. */
  #collect(length: number): void {
    this.#uncollected += length;
    if (this.#uncollected < OUTSTANDING) return;
    this.#uncollected = 0;
    (globalThis as { gc?: (options: { type: "minor" }) => void }).gc?.({ type: "minor" });
  }

  /** Waits for answers. Rejects with the first failure, the signal's reason or the connection's end. */
  async #until(isReached: () => boolean): Promise<void> {
    for (;;) {
      this.signal.throwIfAborted();
      if (this.#failure !== null) throw await this.session.explain(`write ${this.final}`, this.#failure);
      if (this.session.isLost) {
        throw await this.session.explain(`write ${this.final}`, new Error("the connection was lost"));
      }
      if (isReached()) return;
      const { promise, resolve } = Promise.withResolvers<unknown>();
      this.#wake = () => resolve(null);
      const release = this.session.onLost(this.#wake);
      this.signal.addEventListener("abort", resolve, { once: true });
      await promise;
      this.signal.removeEventListener("abort", resolve);
      release();
    }
  }

  async #proveSize(path: string): Promise<void> {
    const size = (await this.session.look(path))?.size ?? null;
    if (size === this.#position) return;
    throw new RunFailedError(
      `Cannot trust ${path}: it holds ${size ?? "no"} bytes of the ${this.#position} that were sent`,
    );
  }
}
