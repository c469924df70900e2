/** Uploads one object in parts of equal size. Fills the next part while other parts are being sent. */
import { createHash, type Hash } from "node:crypto";
import { MAX_PARTS } from "../../../../src/domain/upload_parts.ts";
import { type ObjectWriter, RunFailedError, type Uploads } from "../../ports.ts";
import { PartSender } from "./part_sender.ts";
import { PartUrls } from "./part_urls.ts";
import type { DestinationPorts } from "../destination_type.ts";
import { PutConnections } from "./put.ts";

const MIB = 2 ** 20;
/**
 * Up to this part size, in bytes, one part is filled while two others are being sent. Above this size, at
 * most one part is being sent at a time.
 */
const THREE_BUFFERS_UP_TO = 16 * MIB;
/**
 * Largest part size, in bytes, at which one part is filled while another is being sent. With larger parts,
 * memory has room for only one part. Each part is then sent before the next part is filled.
 */
const TWO_BUFFERS_UP_TO = 32 * MIB;

export class S3Writer implements ObjectWriter {
  readonly #over = new AbortController();
  readonly #connections = new PutConnections();
  readonly #sender: PartSender;
  readonly #free: Uint8Array[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  readonly #etags: string[] = [];
  readonly #unlink: () => void;
  /**
   * Number of buffers that the writer can still allocate. Buffers are allocated on demand, because small
   * objects need only one buffer.
   */
  #allowance: number;
  readonly #maxInFlight: number;
  #part: Uint8Array | null = null;
  #filled = 0;
  #md5: Hash = createHash("md5");
  #size = 0;
  #failure: unknown = null;

  constructor(
    /** The object's name, and the description of its bucket for errors. */
    private readonly object: { readonly name: string; readonly bucket: string },
    private readonly upload: { uploadId: string; partSize: number },
    private readonly uploads: Uploads,
    { clock, signal, output, limits }: DestinationPorts,
    private readonly maxParts = MAX_PARTS,
  ) {
    const { partSize, uploadId } = upload;
    this.#allowance = partSize <= THREE_BUFFERS_UP_TO ? 3 : partSize <= TWO_BUFFERS_UP_TO ? 2 : 1;
    this.#maxInFlight = Math.max(1, this.#allowance - 1);
    const stop = () => this.#over.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    this.#unlink = () => signal.removeEventListener("abort", stop);
    if (signal.aborted) stop();
    const urls = new PartUrls(uploads, uploadId, clock, this.#over.signal);
    this.#sender = new PartSender({
      description: object.bucket,
      urls,
      connections: this.#connections,
      clock,
      signal: this.#over.signal,
      limits,
      onTrouble: (text) => output?.line(text),
    });
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      this.#throwIfFailed();
      this.#part ??= await this.#takeBuffer();
      const piece = chunk.subarray(at, at + this.#part.length - this.#filled);
      this.#part.set(piece, this.#filled);
      this.#md5.update(piece);
      this.#filled += piece.length;
      this.#size += piece.length;
      at += piece.length;
      if (this.#filled === this.#part.length) await this.#sendPart();
    }
  }

  async commit(): Promise<void> {
    if (this.#filled > 0) await this.#sendPart();
    while (this.#inFlight.size > 0) await Promise.race(this.#inFlight);
    this.#throwIfFailed();
    const parts = this.#etags.map((etag, index) => ({ partNumber: index + 1, etag }));
    const { size } = await this.uploads.complete(this.upload.uploadId, this.#size, parts, this.#over.signal);
    if (size !== this.#size) {
      throw new RunFailedError(
        `Cannot trust ${this.object.name}: ${this.object.bucket} stored ${size} bytes of the ${this.#size} that were sent`,
      );
    }
    this.#release();
  }

  async abort(): Promise<void> {
    this.#over.abort(new RunFailedError(`The upload of ${this.object.name} was given up`));
    while (this.#inFlight.size > 0) await Promise.race(this.#inFlight);
    this.#release();
    await this.uploads.abort(this.upload.uploadId);
  }

  async #sendPart(): Promise<void> {
    while (this.#inFlight.size >= this.#maxInFlight) await Promise.race(this.#inFlight);
    this.#throwIfFailed();
    const buffer = this.#part!;
    const body = buffer.subarray(0, this.#filled);
    const md5 = this.#md5.digest("base64");
    const index = this.#etags.length;
    this.#part = null;
    this.#filled = 0;
    this.#md5 = createHash("md5");
    if (index >= this.maxParts) return this.#fail(this.#tooLarge());
    this.#etags.push("");
    const sending = this.#sender.send(index + 1, body, md5).then(
      (etag) => {
        this.#etags[index] = etag;
        this.#free.push(buffer);
      },
      (error) => this.#fail(error),
    ).finally(() => this.#inFlight.delete(sending));
    this.#inFlight.add(sending);
  }

  async #takeBuffer(): Promise<Uint8Array> {
    for (;;) {
      const free = this.#free.pop();
      if (free !== undefined) return free;
      if (this.#allowance > 0) {
        this.#allowance--;
        return new Uint8Array(this.upload.partSize);
      }
      await Promise.race(this.#inFlight);
      this.#throwIfFailed();
    }
  }

  /**
   * Records the first failure, and aborts the other parts. The next call of one of the writer's methods
   * rejects with this failure.
   */
  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#over.abort(this.#failure);
  }

  #throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure;
    this.#over.signal.throwIfAborted();
  }

  #tooLarge(): RunFailedError {
    const { partSize } = this.upload;
    const gib = Math.floor(this.maxParts * partSize / 2 ** 30);
    return new RunFailedError(
      `Cannot upload ${this.object.name}: it grew beyond ${this.maxParts} parts of ${
        partSize / MIB
      } MiB (${gib} GiB). ` +
        "Run the task again: its next upload uses larger parts.",
    );
  }

  #release(): void {
    this.#unlink();
    this.#connections.close();
    this.#free.length = 0;
    this.#part = null;
  }
}
