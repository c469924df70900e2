/** A stored backup's objects, read back: proven against what was stored, and opened. */
import { createHash, type Hash } from "node:crypto";
import type { BackupToRead, StoredObject } from "../../../src/protocol/job.ts";
import { isUnreadable } from "../destinations/local/reader.ts";
import { eachLine } from "../programs/line_reader.ts";
import { finishStages } from "../programs/stages.ts";
import type { Children } from "../programs/children.ts";
import {
  BackupDamagedError,
  DamagedBytesError,
  type Destination,
  ObjectMissingError,
  RunFailedError,
  WrongKeyError,
} from "../ports.ts";
import { confirmDamage, UnsteadyReadError } from "./read_again.ts";
import type { DecryptionKey } from "../transforms/decrypt.ts";

/** Random access to what an object holds, opened. Nothing of it is proven but what its encryption proves. */
export interface OpenedObject {
  /** Bytes, opened. */
  readonly size: number;
  /** The bytes [from, to), in order; a chunk may be used until the next is asked for. */
  read(from: number, to: number): AsyncIterable<Uint8Array>;
}

/** An object that is read from its start: how far, and the digest of it up to there. */
interface Reading {
  at: number;
  readonly hash: Hash;
}

export class StoredObjects {
  /** Stored bytes read so far. */
  bytesRead = 0;
  /** By name: the last of each; null once its digest was the one that was stored. */
  readonly #readings = new Map<string, Reading | null>();

  constructor(
    private readonly backup: BackupToRead,
    private readonly destination: Destination,
    private readonly children: Children,
  ) {}

  /** The index of the archive that holds `database`; null where none was stored. */
  index(database: string | null): StoredObject | null {
    return this.backup.objects.find((object) => object.role === "index" && object.database === database) ??
      null;
  }

  archives(): StoredObject[] {
    return this.backup.objects.filter(({ role }) => role === "archive");
  }

  /**
   * The whole object, opened. Rejects after its last bytes where they are not those that were stored: what
   * was made of them before is then not to be kept.
   */
  async *whole(object: StoredObject): AsyncIterable<Uint8Array> {
    const proven = this.#proven(object);
    const key = this.#keyOf(object);
    if (key === null) return yield* proven;
    const { decryptStream } = await import("../transforms/decrypt.ts");
    yield* decryptStream(proven, key, this.children);
  }

  /**
   * Whether an object is encrypted: nobody without its key can have made it then, whoever may write where it
   * lies.
   */
  isSealed(object: StoredObject): boolean {
    return this.#keyOf(object) !== null;
  }

  /** Reads an object for nothing but to see that its bytes are those that were stored. */
  async verify(object: StoredObject): Promise<void> {
    try {
      for await (const _ of this.#proven(object));
    } catch (error) {
      throw await this.diagnose(object, error);
    }
  }

  /**
   * What to tell where `error` kept something from being made of an object: a `BackupDamagedError` where it
   * is not what was stored, which takes reading what is left of it; why its place can't be looked at; else
   * `error` itself.
   */
  async diagnose(object: StoredObject, error: unknown): Promise<unknown> {
    // For a key that is another's, nobody waits until all of a large archive is read.
    if (error instanceof BackupDamagedError || error instanceof WrongKeyError) return error;
    if (error instanceof UnsteadyReadError) return error;
    const reading = this.#readings.get(object.name);
    if (reading === null) return error;
    try {
      await this.#checkSize(object);
    } catch (found) {
      return found;
    }
    try {
      for await (const _ of this.#provenFrom(object, reading ?? this.#begin(object)));
    } catch (found) {
      if (found instanceof BackupDamagedError || found instanceof UnsteadyReadError) return found;
      if (isUnreadable(found)) return damaged(object, "its disk can't read it back (EIO)");
    }
    return error;
  }

  /**
   * The error to report where a part of an object could not be read, without reading the rest: a
   * `BackupDamagedError` where the object is gone or has another size, or its bytes are wrong a second time;
   * else `error` itself.
   *
   * @param reread Reads the same part again.
   */
  async diagnosePart(object: StoredObject, error: unknown, reread: () => Promise<void>): Promise<unknown> {
    if (error instanceof BackupDamagedError || error instanceof WrongKeyError) return error;
    try {
      await this.#checkSize(object);
      if (error instanceof DamagedBytesError) await reread();
    } catch (found) {
      if (found instanceof BackupDamagedError) return found;
      if (found instanceof DamagedBytesError) {
        return damaged(object, found.message.replace(/^Cannot \w+: /, ""));
      }
      return isUnreadable(found) ? damaged(object, "its disk can't read it back (EIO)") : error;
    }
    return isUnreadable(error) ? damaged(object, "its disk can't read it back (EIO)") : error;
  }

  async open(object: StoredObject): Promise<OpenedObject> {
    const read = (from: number, to: number) => this.#counted(object, from, to);
    const key = this.#keyOf(object);
    if (key === null) return { size: object.size, read };
    const { SealedObject } = await import("../transforms/decrypt.ts");
    return await SealedObject.open(read, object.size, key, this.children);
  }

  /**
   * Calls `take` with the lines of a small compressed object. Reads all of it before, to compare its SHA-256:
   * of another object in its place nothing is unpacked, as that may never end.
   */
  async lines(object: StoredObject, take: (line: string) => void): Promise<void> {
    if (this.#readings.get(object.name) !== null) await this.verify(object);
    try {
      await this.#lines(object, take);
    } catch (error) {
      throw await this.diagnose(object, error);
    }
  }

  async #lines(object: StoredObject, take: (line: string) => void): Promise<void> {
    await using programs = this.children.nest();
    const zstd = programs.spawn({ program: "zstd", args: ["-d", "-q", "-c"] }, {
      stdin: "piped",
      stdout: "piped",
      onMessage: () => {},
    });
    await finishStages(programs, [zstd.feed(this.whole(object)), eachLine(zstd, take), zstd.exited]);
    const { code } = await zstd.exited;
    if (code !== 0) throw new RunFailedError(`Cannot unpack ${object.name}: it is damaged`);
  }

  #proven(object: StoredObject): AsyncIterable<Uint8Array> {
    return this.#provenFrom(object, this.#begin(object));
  }

  #begin({ name }: StoredObject): Reading {
    const reading = { at: 0, hash: createHash("sha256") };
    this.#readings.set(name, reading);
    return reading;
  }

  async *#provenFrom(object: StoredObject, reading: Reading): AsyncIterable<Uint8Array> {
    for await (const chunk of this.#counted(object, reading.at, object.size)) {
      reading.hash.update(chunk);
      reading.at += chunk.length;
      yield chunk;
    }
    const sha256 = reading.hash.digest("hex");
    if (sha256 !== object.sha256) {
      await confirmDamage(object, this.destination, sha256, (bytes) => void (this.bytesRead += bytes));
      throw damaged(object, `its SHA-256 is ${sha256}, but ${object.sha256} was stored`);
    }
    this.#readings.set(object.name, null);
  }

  async #checkSize(object: StoredObject): Promise<void> {
    try {
      const size = await this.destination.size(object.name);
      if (size !== object.size) throw damaged(object, `it has ${size} bytes, but ${object.size} were stored`);
    } catch (error) {
      if (!(error instanceof ObjectMissingError)) throw error;
      const fault = "it is not there. It was deleted or moved away";
      throw new BackupDamagedError(`Cannot read ${object.name}: ${fault}.`, `${object.name}: ${fault}`);
    }
  }

  async *#counted(object: StoredObject, from: number, to: number): AsyncIterable<Uint8Array> {
    for await (const chunk of this.destination.read(object.name, from, to)) {
      this.bytesRead += chunk.length;
      yield chunk;
    }
  }

  #keyOf(object: StoredObject): DecryptionKey | null {
    return object.role === "manifest" ? null : this.backup.key;
  }
}

function damaged({ name }: StoredObject, fault: string): BackupDamagedError {
  return new BackupDamagedError(
    `Cannot trust ${name}: ${fault}. It is damaged, or another file took its place.`,
    `${name}: ${fault}`,
  );
}
