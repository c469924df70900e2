/** Reads the objects of a stored backup. Verifies the SHA-256 of each object, and decrypts the objects. */
import { createHash, type Hash } from "node:crypto";
import type { BackupToRead, StoredObject } from "../../../src/protocol/job.ts";
import { isUnreadable } from "../destinations/local/reader.ts";
import { eachLine, firstLines } from "../programs/line_reader.ts";
import { indexKeys } from "../transforms/derived_keys.ts";
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

/**
 * Random access to an object's decrypted bytes. The object's SHA-256 is not verified. If the object is
 * encrypted, decryption detects altered bytes. If it is not encrypted, altered bytes are not detected here.
 */
export interface OpenedObject {
  /** Size of the decrypted object, in bytes. */
  readonly size: number;
  /**
   * Yields the bytes from `from` up to, but not including, `to`. A chunk is valid until the next one is
   * requested.
   */
  read(from: number, to: number): AsyncIterable<Uint8Array>;
}

/** Maximum size of an object that is kept in memory while its lines are read, in bytes. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;

/**
 * Shell script that unpacks its input. It prints the lines that `grep` selects with the script's arguments.
 */
const SELECTING_SCRIPT = '{ zstd -d -q -c || echo "zstd failed" >&2; } | LC_ALL=C grep -a "$@"';

/** How far an object was read from its start: the position, and the hash of the bytes before it. */
interface Reading {
  at: number;
  readonly hash: Hash;
}

export class StoredObjects {
  /** Number of stored bytes that were read so far. */
  bytesRead = 0;
  /** The last reading of each object by the object's name; null once the object's SHA-256 was verified. */
  readonly #readings = new Map<string, Reading | null>();

  constructor(
    private readonly backup: BackupToRead,
    private readonly destination: Destination,
    private readonly children: Children,
  ) {}

  /** Returns the index of the archive that contains `database`; null if no such index was stored. */
  index(database: string | null): StoredObject | null {
    return this.backup.objects.find((object) => object.role === "index" && object.database === database) ??
      null;
  }

  archives(): StoredObject[] {
    return this.backup.objects.filter(({ role }) => role === "archive");
  }

  /**
   * Yields the decrypted bytes of the whole object. Rejects after the last bytes if the SHA-256 is wrong. The
   * caller must then discard everything that it made from the bytes.
   */
  async *whole(object: StoredObject): AsyncIterable<Uint8Array> {
    const verified = this.#verified(object);
    yield* this.#decrypted(object, verified);
  }

  async *#decrypted(object: StoredObject, bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const key = this.#keyOf(object);
    if (key === null) return yield* bytes;
    const { decryptStream } = await import("../transforms/decrypt.ts");
    yield* decryptStream(
      bytes,
      key,
      this.children,
      object.role === "index" ? indexKeys.derive : undefined,
    );
  }

  /**
   * Returns whether an object is encrypted. Only someone with the key can create an encrypted object. Write
   * access to the destination is not enough.
   */
  isSealed(object: StoredObject): boolean {
    return this.#keyOf(object) !== null;
  }

  /** Reads an object to verify its SHA-256. Rejects if the SHA-256 is wrong or the object can't be read. */
  async verify(object: StoredObject): Promise<void> {
    try {
      for await (const _ of this.#verified(object));
    } catch (error) {
      throw await this.diagnose(object, error);
    }
  }

  /**
   * Returns the error to report after `error` interrupted work on an object. Looks for a cause in the object:
   * - Checks its size. If this check fails, returns the check's error.
   * - Reads its remaining bytes. If they are damaged, returns a `BackupDamagedError`.
   *
   * Returns `error` itself if the object is not the cause.
   */
  async diagnose(object: StoredObject, error: unknown): Promise<unknown> {
    // With a wrong key, skip reading the rest of the object, because it may be large.
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
      for await (const _ of this.#verifiedFrom(object, reading ?? this.#begin(object)));
    } catch (found) {
      if (found instanceof BackupDamagedError || found instanceof UnsteadyReadError) return found;
      if (isUnreadable(found)) return damaged(object, "its disk can't read it back (EIO)");
    }
    return error;
  }

  /**
   * Returns the error to report after `error` interrupted the reading of some bytes of an object. Does not
   * read the rest of the object. Normally returns `error` itself. Returns a `BackupDamagedError` in these
   * cases:
   * - The object is missing or has another size.
   * - The bytes were damaged, and are damaged in a second read too.
   * - The disk can't read the bytes back.
   *
   * @param reread Reads the same bytes again.
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
   * Calls `take` with each line of a small compressed object. Verifies the SHA-256 of the whole object first,
   * because unpacking a replaced object might never end.
   */
  async lines(object: StoredObject, take: (line: string) => void): Promise<void> {
    await this.#unpack(object, (bytes) => this.#lines(object, bytes, take));
  }

  /**
   * Lets grep select lines of a small compressed object. Calls `take` with each selected line, until `take`
   * returns false. Works like {@link lines} in all other respects.
   *
   * @param selection Arguments of `grep`.
   */
  async selectedLines(
    object: StoredObject,
    selection: readonly string[],
    take: (line: string) => boolean,
  ): Promise<void> {
    await this.#unpack(object, (bytes) => this.#selectedLines(object, bytes, selection, take));
  }

  async #unpack(
    object: StoredObject,
    work: (bytes: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<void> {
    const kept = object.size <= MAX_KEPT_BYTES ? await this.#read(object) : null;
    if (kept === null && this.#readings.get(object.name) !== null) await this.verify(object);
    try {
      await work(kept === null ? this.whole(object) : this.#decrypted(object, kept));
    } catch (error) {
      throw await this.diagnose(object, error);
    }
  }

  /** Reads and verifies a whole object, and returns it as a stream. */
  async #read(object: StoredObject): Promise<AsyncIterable<Uint8Array>> {
    const bytes = new Uint8Array(object.size);
    let length = 0;
    try {
      for await (const chunk of this.#verified(object)) {
        bytes.set(chunk, length);
        length += chunk.length;
      }
    } catch (error) {
      throw await this.diagnose(object, error);
    }
    return (async function* () {
      yield await Promise.resolve(bytes);
    })();
  }

  async #lines(
    object: StoredObject,
    bytes: AsyncIterable<Uint8Array>,
    take: (line: string) => void,
  ): Promise<void> {
    await using programs = this.children.nest();
    const zstd = programs.spawn({ program: "zstd", args: ["-d", "-q", "-c"] }, {
      stdin: "piped",
      stdout: "piped",
      onMessage: () => {},
    });
    await finishStages(programs, [zstd.feed(bytes), eachLine(zstd, take), zstd.exited]);
    const { code } = await zstd.exited;
    if (code !== 0) throw new RunFailedError(`Cannot unpack ${object.name}: it is damaged`);
  }

  async #selectedLines(
    object: StoredObject,
    bytes: AsyncIterable<Uint8Array>,
    selection: readonly string[],
    take: (line: string) => boolean,
  ): Promise<void> {
    await using programs = this.children.nest();
    let message: string | null = null;
    const selecting = programs.spawn({ program: "sh", args: ["-c", SELECTING_SCRIPT, "sh", ...selection] }, {
      stdin: "piped",
      stdout: "piped",
      onMessage: (line) => void (message ??= line),
    });
    let isEnough = false;
    const lines = firstLines(selecting, (line) => !(isEnough = !take(line)));
    await finishStages(programs, [selecting.feed(bytes), lines, selecting.exited]);
    if (isEnough) return;
    const { code } = await selecting.exited;
    // grep exits with 1 if it has selected no line.
    if (code > 1) {
      throw new RunFailedError(`Cannot search ${object.name}: ${message ?? `grep exited with ${code}`}`);
    }
    if (message !== null) throw new RunFailedError(`Cannot unpack ${object.name}: it is damaged`);
  }

  #verified(object: StoredObject): AsyncIterable<Uint8Array> {
    return this.#verifiedFrom(object, this.#begin(object));
  }

  #begin({ name }: StoredObject): Reading {
    const reading = { at: 0, hash: createHash("sha256") };
    this.#readings.set(name, reading);
    return reading;
  }

  async *#verifiedFrom(object: StoredObject, reading: Reading): AsyncIterable<Uint8Array> {
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
      const fault = "it does not exist. It was deleted or moved";
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
