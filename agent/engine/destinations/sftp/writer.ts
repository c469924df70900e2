/**
 * Writes one file over SFTP with many writes in flight. Renames the file once all of its bytes are on disk.
 * Keeps the bytes that the server has not acknowledged. After a broken connection, these bytes are sent
 * again.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Clock } from "../../../../src/domain/clock.ts";
import { collectYoung } from "../../garbage.ts";
import { type ObjectWriter, RunFailedError } from "../../ports.ts";
import { BlockChecksums } from "./block_checksums.ts";
import type { SftpConnection } from "./connection.ts";
import { readSteadily } from "./reader.ts";
import type { SftpSession } from "./session.ts";

/**
 * Maximum number of unacknowledged bytes. A server's flow-control window is not larger, so more bytes would
 * only wait in the agent's memory.
 */
const OUTSTANDING = 2 * 2 ** 20;
/**
 * Maximum number of bytes in one write. Large writes need fewer responses, but writes above this size are not
 * faster.
 */
const PIECE = 128 * 1024;

interface Piece {
  readonly position: number;
  readonly bytes: Buffer;
}

interface OpenFile {
  readonly session: SftpSession;
  readonly handle: Buffer;
}

export class SftpWriter implements ObjectWriter {
  #position = 0;
  #uncollected = 0;
  /** Pieces that were sent but not acknowledged, in the order of their positions. */
  readonly #pending = new Set<Piece>();
  #outstanding = 0;
  #failure: unknown = null;
  #wake = () => {};
  #isOpen = true;
  #isPublished = false;
  readonly #checksums: BlockChecksums;

  constructor(
    private readonly connection: SftpConnection,
    private file: OpenFile,
    private readonly paths: { readonly partial: string; readonly final: string },
    private readonly ports: { readonly clock: Clock; readonly signal: AbortSignal },
  ) {
    this.#checksums = new BlockChecksums(ports.clock);
  }

  async write(chunk: Uint8Array): Promise<void> {
    const piece = Math.min(PIECE, this.file.session.writeLimit);
    for (let at = 0; at < chunk.length;) {
      // Copy the bytes: the caller reuses its buffer.
      const bytes = Buffer.from(chunk.subarray(at, at + piece));
      await this.#until(() => this.#outstanding + bytes.length <= OUTSTANDING);
      const next = { position: this.#position, bytes };
      this.#pending.add(next);
      this.#outstanding += bytes.length;
      this.#position += bytes.length;
      this.#checksums.add(bytes);
      this.#send(next);
      at += bytes.length;
      this.#collect(bytes.length);
    }
  }

  async commit(): Promise<void> {
    await this.#until(() => this.#outstanding === 0);
    await this.#onFile(async ({ session, handle }) => {
      await session.sync(this.paths.final, handle);
      await session.closeFile(this.paths.final, handle);
    });
    this.#isOpen = false;
    await this.connection.use((session) => this.#proveSize(session, this.paths.partial));
    await this.#proveContent();
    await this.#publish();
    await this.connection.use((session) => this.#proveSize(session, this.paths.final));
  }

  async abort(): Promise<void> {
    this.#failure ??= new RunFailedError(`The upload of ${this.paths.final} was given up`);
    const { session, handle } = this.file;
    if (this.#isOpen && !session.isLost) {
      this.#isOpen = false;
      // Ignore a failed close: the file is removed next, so its last bytes don't matter.
      await session.closeFile(this.paths.partial, handle).catch(() => {});
    }
    const paths = this.#isPublished ? [this.paths.partial, this.paths.final] : [this.paths.partial];
    await this.connection.clearAway(async (session) => {
      for (const path of paths) await session.removeIfThere(path);
    });
  }

  #send(piece: Piece): void {
    const { session, handle } = this.file;
    session.writeAt(this.paths.final, handle, piece.bytes, piece.position).then(
      () => {
        // A piece that was sent again may be acknowledged twice.
        if (this.#pending.delete(piece)) this.#outstanding -= piece.bytes.length;
        this.connection.progressed();
      },
      (error) => {
        if (!session.isLost) this.#failure ??= error;
      },
    ).finally(() => this.#wake());
  }

  /**
   * Counts copied bytes. Collects garbage at intervals if the agent was started with `--expose-gc`. Without
   * these collections, up to 50 MB of copies pile up before V8 collects them.
   */
  #collect(length: number): void {
    this.#uncollected += length;
    if (this.#uncollected < OUTSTANDING) return;
    this.#uncollected = 0;
    collectYoung();
  }

  /**
   * Waits for acknowledgements until `isReached` returns true. If the connection is lost, reconnects and
   * waits again. If the upload fails for a reason other than a lost connection, rejects with the first such
   * failure. If the signal aborts, rejects with the signal's reason.
   */
  async #until(isReached: () => boolean): Promise<void> {
    for (;;) {
      this.ports.signal.throwIfAborted();
      if (this.#failure !== null) throw this.#failure;
      if (this.file.session.isLost) {
        await this.#goOn(this.file.session);
        continue;
      }
      if (isReached()) return;
      const { promise, resolve } = Promise.withResolvers<unknown>();
      this.#wake = () => resolve(null);
      const release = this.file.session.onLost(this.#wake);
      this.ports.signal.addEventListener("abort", resolve, { once: true });
      await promise;
      this.ports.signal.removeEventListener("abort", resolve);
      release();
    }
  }

  /** Runs work on the open file. Repeats the work on a new connection if the connection breaks. */
  async #onFile(work: (file: OpenFile) => Promise<void>): Promise<void> {
    for (;;) {
      await this.#until(() => this.#outstanding === 0);
      const { file } = this;
      try {
        return await work(file);
      } catch (error) {
        await this.connection.recover(file.session, error);
      }
    }
  }

  /** Connects again, opens the partial file, and sends the unacknowledged pieces again. */
  async #goOn(lost: SftpSession): Promise<void> {
    this.#checksums.doubt();
    await this.connection.recover(lost, await lost.explainLoss(`write ${this.paths.final}`));
    const session = await this.connection.session();
    try {
      const acknowledged = this.#pending.values().next().value?.position ?? this.#position;
      const size = (await session.look(this.paths.partial))?.size ?? null;
      if (size === null || size < acknowledged) {
        throw new RunFailedError(
          `Cannot go on with ${this.paths.partial}: the server has ${
            size ?? "no"
          } bytes of the ${acknowledged} that it ` +
            "had acknowledged before the connection broke. Run the task again.",
        );
      }
      this.file = { session, handle: await session.openAgain(this.paths.partial) };
    } catch (error) {
      await this.connection.recover(session, error);
      return;
    }
    for (const piece of this.#pending) this.#send(piece);
  }

  /**
   * Renames the file to its final name. If the connection breaks, the rename is tried again. The first try
   * might have succeeded although its response was lost. So if the partial file is gone at the second try,
   * checks that the file with the final name has the right size.
   */
  async #publish(): Promise<void> {
    let isRepeated = false;
    await this.connection.use(async (session) => {
      if (isRepeated && await session.look(this.paths.partial) === null) {
        return await this.#proveSize(session, this.paths.final);
      }
      isRepeated = true;
      this.#isPublished = true;
      try {
        await session.rename(this.paths.partial, this.paths.final);
      } catch (error) {
        // If the server refused the rename, the final name belongs to another file. If the session was lost,
        // the rename might have succeeded.
        this.#isPublished = session.isLost;
        throw error;
      }
    });
  }

  async #proveSize(session: SftpSession, path: string): Promise<void> {
    const size = (await session.look(path))?.size ?? null;
    if (size === this.#position) return;
    throw new RunFailedError(
      `Cannot trust ${path}: it holds ${size ?? "no"} bytes of the ${this.#position} that were sent`,
    );
  }

  /**
   * Checks the bytes that the server acknowledged shortly before a connection broke. Reads them back, and
   * compares their checksums with those of the sent bytes.
   */
  async #proveContent(): Promise<void> {
    for (const { from, to, hash } of this.#checksums.doubtful) {
      const found = createHash("sha256");
      for await (
        const chunk of readSteadily(this.connection, this.paths.partial, from, to, this.ports.signal)
      ) {
        found.update(chunk);
      }
      if (found.digest("hex") === hash.digest("hex")) continue;
      throw new RunFailedError(
        `Cannot trust ${this.paths.final}: the server lost bytes between ${from} and ${to} that it had acknowledged ` +
          "before the connection broke. Check its disk and its log, and run the task again.",
      );
    }
  }
}
