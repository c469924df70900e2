/**
 * Creates a run's objects at its destination: counts, hashes and encrypts them, and removes them on failure.
 */
import { jobEncryption, type StoredObject } from "../../../src/protocol/job.ts";
import { type Destination, type DirectWriting, type ObjectWriter, UnansweredCreateError } from "../ports.ts";
import type { Progress } from "./progress.ts";
import type { RunContext } from "../run_context.ts";
import { isCompressed } from "../transforms/compress.ts";
import { Digest } from "../transforms/digest.ts";
import { encryptTo } from "../transforms/encrypt.ts";
import { FileKeys } from "../transforms/file_keys.ts";
import type { Sink } from "../transforms/sink.ts";

export interface NewObject {
  role: StoredObject["role"];
  /** The name, including the extension for encryption. */
  name: string;
  database: string | null;
  /** The expected size in bytes; null if unknown. */
  sizeHint: number | null;
  /** Whether the object is encrypted if the run has encryption. */
  isSecret: boolean;
}

export class RunObjects {
  /** The committed objects in order. */
  readonly committed: StoredObject[] = [];
  /** The keys for encryption; null if the run is not encrypted. */
  readonly keys: FileKeys | null;
  #open: { name: string; writer: ObjectWriter } | null = null;
  /** Names of objects that may appear although their creation was abandoned. */
  readonly #unanswered: string[] = [];

  constructor(
    private readonly context: RunContext,
    private readonly destination: Destination,
    private readonly progress: Progress,
  ) {
    const encryption = jobEncryption(context.job);
    this.keys = encryption.type === "none" ? null : new FileKeys(encryption, context.children);
  }

  /** Starts an object. `commit` it before creating the next one. */
  async create(object: NewObject): Promise<OpenObject> {
    const { name } = object;
    const keys = object.isSecret ? this.keys : null;
    const { ports } = this.context;
    ports.signal.throwIfAborted();
    // Create the location before recording the object. If the agent is killed, a leftover in a missing
    // location could not be distinguished from one on an unmounted file system, and would stay recorded.
    await this.destination.makePlace?.();
    await ports.opening(name, this.destination.partialPath(name));
    const writer = await this.#createAt(name, object.sizeHint);
    this.#open = { name, writer };
    // A program writes an archive only if it compresses it and nothing encrypts it. Otherwise the agent does.
    const isDirect = object.role === "archive" && keys === null && isCompressed(this.context.options);
    const direct = isDirect ? writer.direct ?? null : null;
    const digest = new Digest({
      write: async (chunk) => {
        ports.signal.throwIfAborted();
        if (direct === null) await writer.write(chunk);
        else direct.written(chunk.length);
        this.progress.bytesWritten += chunk.length;
      },
    });
    const sink = keys === null ? digest : await encryptTo(digest, await keys.take());
    return new OpenObject(sink, writer, direct, () => this.#commit(object, writer, digest));
  }

  async #createAt(name: string, sizeHint: number | null): Promise<ObjectWriter> {
    try {
      return await this.destination.create(name, sizeHint);
    } catch (error) {
      if (error instanceof UnansweredCreateError) this.#unanswered.push(name);
      throw error;
    }
  }

  /** Removes the objects after the first `length` committed ones. Rejects if something may be left. */
  async rollBack(length: number): Promise<void> {
    if (this.#open !== null) await this.#open.writer.abort();
    this.#open = null;
    while (this.committed.length > length) {
      await this.destination.remove(this.committed.at(-1)!.name);
      this.committed.pop();
    }
  }

  /** Removes all objects, the newest first. Returns the names of those that may be left. */
  async removeAll(): Promise<string[]> {
    const leftovers = [...this.#unanswered];
    const attempt = (name: string, removal: Promise<unknown>) =>
      removal.catch(() => void leftovers.push(name));
    if (this.#open !== null) await attempt(this.#open.name, this.#open.writer.abort());
    this.#open = null;
    for (const { name } of this.committed.splice(0).reverse()) {
      await attempt(name, this.destination.remove(name));
    }
    return leftovers;
  }

  async #commit(object: NewObject, writer: ObjectWriter, digest: Digest): Promise<StoredObject> {
    this.context.ports.signal.throwIfAborted();
    await writer.commit();
    this.#open = null;
    const { role, name, database } = object;
    const stored = { role, name, size: digest.size, sha256: digest.sha256(), database };
    this.committed.push(stored);
    return stored;
  }
}

class OpenObject {
  constructor(
    private readonly sink: Sink,
    private readonly writer: ObjectWriter,
    /** The file that a program writes directly; `write` is then called with the bytes it has written. */
    readonly direct: DirectWriting | null,
    private readonly finish: () => Promise<StoredObject>,
  ) {}

  write(chunk: Uint8Array): Promise<void> {
    return this.sink.write(chunk);
  }

  /**
   * Starts making the bytes durable in parallel with other work, which shortens `commit`. Nothing may be
   * written meanwhile.
   */
  async settle(): Promise<void> {
    await this.writer.settle?.();
  }

  /** Makes the object visible under its name. */
  async commit(): Promise<StoredObject> {
    await this.sink.end();
    return await this.finish();
  }
}
