/**
 * Creates a run's objects at its destination. Counts, hashes and encrypts their bytes, and removes the
 * objects if the run fails.
 */
import { jobEncryption, type StoredObject } from "../../../src/protocol/job.ts";
import { type Destination, type DirectWriting, type ObjectWriter, UnansweredCreateError } from "../ports.ts";
import type { Progress } from "./progress.ts";
import type { RunContext } from "../run_context.ts";
import { isCompressed } from "../transforms/compress.ts";
import { Digest } from "../transforms/digest.ts";
import { indexKeys } from "../transforms/derived_keys.ts";
import { encryptTo } from "../transforms/encrypt.ts";
import { FileKeys } from "../transforms/file_keys.ts";
import type { Sink } from "../transforms/sink.ts";

export interface NewObject {
  role: StoredObject["role"];
  /** The object's name, with the extension of the encryption format. */
  name: string;
  database: string | null;
  /** The expected size in bytes; null if it is unknown. */
  sizeHint: number | null;
  /** Whether the object is encrypted if the backup is encrypted. The manifest never is. */
  isSecret: boolean;
}

export class RunObjects {
  /** The committed objects, the oldest first. */
  readonly committed: StoredObject[] = [];
  /** The file keys for encryption; null if the backup is not encrypted. */
  readonly keys: FileKeys | null;
  #open: { name: string; writer: ObjectWriter } | null = null;
  /**
   * Names of objects whose creation the destination did not confirm in time. Such an object might still
   * appear at the destination.
   */
  readonly #unanswered: string[] = [];

  constructor(
    private readonly context: RunContext,
    private readonly destination: Destination,
    private readonly progress: Progress,
  ) {
    const encryption = jobEncryption(context.job);
    this.keys = encryption.type === "none" ? null : new FileKeys(encryption, context.children);
  }

  /** Starts and returns an object. The caller must `commit` the object before creating the next one. */
  async create(object: NewObject): Promise<OpenObject> {
    const { name } = object;
    const keys = object.isSecret ? this.keys : null;
    const { ports } = this.context;
    ports.signal.throwIfAborted();
    // Create the directory at the destination first, and only then record the object. Otherwise, an agent
    // that is killed between the two steps might leave a record of an object whose directory does not exist.
    // Such a record is never removed, because a missing directory might be on an unmounted file system.
    await this.destination.makeLocation?.();
    await ports.opening(name, this.destination.partialPath(name));
    const writer = await this.#createAt(name, object.sizeHint);
    this.#open = { name, writer };
    // Let the compressor write the file of an archive that is compressed and not encrypted, if the
    // destination supports this. In all other cases, the agent writes the object's file.
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
    const fileKey = await keys?.take() ?? null;
    if (object.role === "index" && fileKey?.derived) indexKeys.keep(fileKey.derived);
    const sink = fileKey === null ? digest : await encryptTo(digest, fileKey);
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

  /**
   * Keeps the first `length` committed objects and removes all later ones. Rejects if one of the later
   * objects might still exist.
   */
  async rollBack(length: number): Promise<void> {
    if (this.#open !== null) await this.#open.writer.abort();
    this.#open = null;
    while (this.committed.length > length) {
      await this.destination.remove(this.committed.at(-1)!.name);
      this.committed.pop();
    }
  }

  /** Removes all objects, the newest first. Returns the names of the objects that might be left. */
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
    /**
     * The file that the compressor itself writes; null if the agent writes the object. If there is such a
     * file, `write` is called with bytes that the compressor has already written, and does not write them
     * again.
     */
    readonly direct: DirectWriting | null,
    private readonly finish: () => Promise<StoredObject>,
  ) {}

  write(chunk: Uint8Array): Promise<void> {
    return this.sink.write(chunk);
  }

  /**
   * Starts making the written bytes durable while other work goes on. This shortens `commit`. The caller must
   * not write before this promise resolves.
   */
  async settle(): Promise<void> {
    await this.writer.settle?.();
  }

  /** Writes the rest of the object, makes the object visible under its name, and returns its record. */
  async commit(): Promise<StoredObject> {
    await this.sink.end();
    return await this.finish();
  }
}
