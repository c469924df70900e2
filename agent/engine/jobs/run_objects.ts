/**
 * The objects a run has made at its destination: counted, hashed, encrypted, and removed when the run fails.
 */
import { jobEncryption, type StoredObject } from "../../../src/protocol/job.ts";
import { type Destination, type DirectWriting, type ObjectWriter, UnansweredCreateError } from "../ports.ts";
import type { Progress } from "./progress.ts";
import type { RunContext } from "../run_context.ts";
import { Digest } from "../transforms/digest.ts";
import { encryptTo } from "../transforms/encrypt.ts";
import { FileKeys } from "../transforms/file_keys.ts";
import type { Sink } from "../transforms/sink.ts";

export interface NewObject {
  role: StoredObject["role"];
  /** With its extension for encryption. */
  name: string;
  database: string | null;
  /** Bytes, as far as can be told. */
  sizeHint: number | null;
  /** Whether the run's encryption is for it. */
  isSecret: boolean;
}

export class RunObjects {
  /** In the order they were made visible. */
  readonly committed: StoredObject[] = [];
  /** Null where nothing is encrypted. */
  readonly keys: FileKeys | null;
  #open: { name: string; writer: ObjectWriter } | null = null;
  /** Names of objects that may appear although their creation was given up. */
  readonly #unanswered: string[] = [];

  constructor(
    private readonly context: RunContext,
    private readonly destination: Destination,
    private readonly progress: Progress,
  ) {
    const encryption = jobEncryption(context.job);
    this.keys = encryption.type === "none" ? null : new FileKeys(encryption, context.children);
  }

  /** Starts an object. One at a time: `commit` it before the next. */
  async create(object: NewObject): Promise<OpenObject> {
    const { name } = object;
    const keys = object.isSecret ? this.keys : null;
    const { ports } = this.context;
    ports.signal.throwIfAborted();
    // Noted in a place that is not there, what a killed agent has left would look like what is not mounted,
    // and stay noted.
    await this.destination.makePlace?.();
    await ports.opening(name, this.destination.partialPath(name));
    const writer = await this.#createAt(name, object.sizeHint);
    this.#open = { name, writer };
    // Archives come from a program; what is encrypted can only be written by who encrypts it.
    const isDirect = object.role === "archive" && keys === null;
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

  /** Removes what was made since `committed` had that length. Rejects where something may be left. */
  async rollBack(length: number): Promise<void> {
    if (this.#open !== null) await this.#open.writer.abort();
    this.#open = null;
    while (this.committed.length > length) {
      await this.destination.remove(this.committed.at(-1)!.name);
      this.committed.pop();
    }
  }

  /** Removes everything, the newest first. Returns the names of what may be left. */
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

export class OpenObject {
  constructor(
    private readonly sink: Sink,
    private readonly writer: ObjectWriter,
    /** Where it is to be written by a program: then `write` is told what that has written. */
    readonly direct: DirectWriting | null,
    private readonly finish: () => Promise<StoredObject>,
  ) {}

  write(chunk: Uint8Array): Promise<void> {
    return this.sink.write(chunk);
  }

  /**
   * Begins what `commit` would wait for, where that can be done beside other work. Nothing may be written
   * meanwhile.
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
