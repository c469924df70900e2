/**
 * Writes one object. If the server supports chunks, a large object is uploaded in chunks. Any other object is
 * uploaded as a partial file. This file is then moved to the object's name.
 *
 * A small object is kept in memory and can be sent again. A larger object is streamed, so a broken connection
 * makes the run fail.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { collectYoung } from "../../garbage.ts";
import { type ObjectWriter, RunFailedError } from "../../ports.ts";
import { Chunks, chunkSize } from "./chunks.ts";
import { type DavClient, DavError, Failure } from "./client.ts";
import type { DavDirectory } from "./directory.ts";
import { type Exchange, NoAnswerError } from "./exchange.ts";

const STORED = [200, 201, 204];
/** Maximum size of an object that is sent in a single request, in bytes. */
const SMALL = 2 ** 20;
/**
 * Factor for `idleMs`: the server has this much longer to respond after it received a large file, because it
 * still has to store the file.
 */
const TAKING_OVER = 30;
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;

export interface WriterNames {
  readonly partial: string;
  readonly final: string;
}

export class DavWriter implements ObjectWriter {
  #total = 0;
  readonly #sha1 = createHash("sha1");
  #checksum: string | null = null;
  /** Bytes that are not sent yet. Only the first `#filled` bytes of the buffer are used. */
  #buffer = Buffer.alloc(0);
  #filled = 0;
  /** Number of bytes that the writer collects before it sends them. */
  readonly #capacity: number;
  #exchange: Exchange | null = null;
  #chunks: Chunks | null = null;
  #isPublished = false;
  readonly #client: DavClient;

  private constructor(
    private readonly directory: DavDirectory,
    private readonly names: WriterNames,
    private readonly uploads: string | null,
    sizeHint: number | null,
  ) {
    this.#client = directory.client;
    this.#capacity = uploads === null ? SMALL : chunkSize(sizeHint);
  }

  /**
   * Creates an empty partial file and returns its writer. If the account is not allowed to write, this
   * rejects, so the run fails early.
   */
  static async open(
    directory: DavDirectory,
    names: WriterNames,
    uploads: string | null,
    sizeHint: number | null,
  ): Promise<DavWriter> {
    const writer = new DavWriter(directory, names, uploads, sizeHint);
    await writer.#put(new Uint8Array(0));
    return writer;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#client.ports.signal.throwIfAborted();
    this.#sha1.update(chunk);
    this.#total += chunk.length;
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + this.#capacity - this.#filled);
      this.#append(piece);
      at += piece.length;
      if (this.#filled === this.#capacity) await this.#flush();
    }
  }

  async commit(): Promise<void> {
    const { signal } = this.#client.ports;
    signal.throwIfAborted();
    if (this.#exchange === null && this.#chunks === null) await this.#put(this.#pending());
    else if (this.#filled > 0) await this.#flush();
    if (this.#exchange !== null) await this.#finish(this.#exchange);
    if (this.#chunks === null) await this.#proveSize(this.names.partial);
    await this.#publish(this.#chunks?.assembled ?? this.directory.urlOf(this.names.partial));
    await this.#proveSize(this.names.final);
    // After an upload in chunks, the partial file is still empty and not needed.
    if (this.#chunks !== null) await this.directory.remove([this.names.partial]);
  }

  async abort(): Promise<void> {
    this.#exchange?.destroy();
    const client = this.#client.forCleanup();
    await this.#chunks?.remove(client);
    const { partial, final } = this.names;
    await this.directory.withClient(client).remove(this.#isPublished ? [partial, final] : [partial]);
  }

  #append(piece: Uint8Array): void {
    if (this.#buffer.length < this.#capacity) {
      const size = Math.min(this.#capacity, Math.max(2 * this.#buffer.length, this.#filled + piece.length));
      if (size > this.#buffer.length) {
        const larger = Buffer.alloc(size);
        this.#buffer.copy(larger, 0, 0, this.#filled);
        this.#buffer = larger;
      }
    }
    this.#buffer.set(piece, this.#filled);
    this.#filled += piece.length;
  }

  #pending(): Uint8Array {
    return this.#buffer.subarray(0, this.#filled);
  }

  async #flush(): Promise<void> {
    if (this.#exchange === null && this.#chunks === null) await this.#start();
    const pending = this.#pending();
    this.#filled = 0;
    if (this.#chunks !== null) return await this.#chunks.send(pending);
    await this.#exchange!.write(pending);
    // The socket might still need the old buffer, so the writer takes a new buffer.
    this.#buffer = Buffer.alloc(0);
    collectYoung();
    if (this.#exchange!.isOver) await this.#finish(this.#exchange!);
  }

  async #start(): Promise<void> {
    const final = this.directory.urlOf(this.names.final);
    if (this.uploads !== null) {
      const chunks = new Chunks(this.#client, this.uploads, final);
      if (await chunks.open()) {
        this.#chunks = chunks;
        return;
      }
    }
    const answerMs = this.#client.ports.limits.idleMs * TAKING_OVER;
    this.#exchange = this.#client.startPut(this.directory.urlOf(this.names.partial), answerMs);
  }

  /** Ends a streamed upload. Rejects if the server did not store the file. */
  async #finish(exchange: Exchange): Promise<void> {
    let failure: Failure;
    try {
      const answer = await exchange.end();
      if (STORED.includes(answer.status)) return;
      failure = Failure.of(answer);
      if (answer.status === 405 || answer.status === 500) {
        const what =
          `it answers ${answer.status} to a file whose start it took, as some servers do whose disk is full`;
        failure = new Failure(`${what}. Look at its disk and its log`, false, answer.status);
      }
    } catch (error) {
      this.#client.ports.signal.throwIfAborted();
      if (!(error instanceof NoAnswerError)) throw error;
      const advice = error.isFinal ? "" : `, after ${this.#total} bytes. Run the task again`;
      failure = new Failure(`${error.reason}${advice}`, false, null);
    }
    throw await this.directory.quotaFault(failure.toError(this.#action));
  }

  async #put(body: Uint8Array): Promise<void> {
    try {
      await this.#client.request({
        action: this.#action,
        method: "PUT",
        url: this.directory.urlOf(this.names.partial),
        headers: { "content-type": "application/octet-stream" },
        body,
        expected: STORED,
        patience: 3,
      });
    } catch (error) {
      throw await this.directory.quotaFault(error);
    }
  }

  get #action(): string {
    return `write ${this.names.final} in ${this.directory.what}`;
  }

  /**
   * Moves the file to the object's name. The move might succeed although no response arrives: the connection
   * might break, or a proxy might give up while the server assembles the file. So this method checks whether
   * the object exists before it tries the move again.
   */
  async #publish(from: string): Promise<void> {
    const { clock, signal, limits } = this.#client.ports;
    const started = clock.monotonic();
    for (let wait = FIRST_WAIT, isRepeated = false;; isRepeated = true) {
      this.#isPublished = true;
      const result = await this.#client.attempt({
        action: this.#action,
        method: "MOVE",
        url: from,
        headers: {
          destination: this.directory.urlOf(this.names.final),
          overwrite: "F",
          "oc-total-length": String(this.#total),
          "oc-checksum": `SHA1:${this.#checksum ??= this.#sha1.digest("hex")}`,
        },
        expected: [201, 204],
        patience: TAKING_OVER,
      });
      if (!(result instanceof Failure)) return;
      const isAnswered = result.status !== null && !result.waits;
      if (isAnswered && !isRepeated) {
        // This was the first attempt, and the server refused it. So no attempt has moved the object. If a
        // file with the final name exists, it is not this object.
        this.#isPublished = false;
        throw this.#moveError(result);
      }
      if (await this.directory.sizeOf(this.names.final) === this.#total) return;
      if (isAnswered || clock.monotonic() - started >= limits.patienceMs) throw this.#moveError(result);
      await clock.sleep(wait, signal);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    }
  }

  #moveError(failure: Failure): DavError {
    if (failure.status === 412) {
      return new DavError(
        `Cannot ${this.#action}: another file took its name (412). Run the task again.`,
        failure.status,
      );
    }
    // Apache responds with these statuses if a proxy in front of it ends TLS and does not rewrite the header
    // `Destination`.
    if (failure.status === 502 || failure.status === 400) {
      return new DavError(
        `Cannot ${this.#action}: it does not take its own address as the destination of a move (${failure.status}). ` +
          "Let the proxy before it rewrite the header Destination.",
        failure.status,
      );
    }
    return failure.toError(this.#action);
  }

  async #proveSize(name: string): Promise<void> {
    const size = await this.directory.sizeOf(name);
    if (size === this.#total) return;
    throw new RunFailedError(
      `Cannot trust ${name} in ${this.directory.what}: it holds ${
        size ?? "no"
      } bytes of the ${this.#total} that were sent`,
    );
  }
}
