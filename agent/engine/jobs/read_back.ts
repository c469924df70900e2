/**
 * Reads a stored object from start to end, verifies its SHA-256, and inspects its contents if they can be
 * decrypted.
 */
import { createHash } from "node:crypto";
import type { StoredObject } from "../../../src/protocol/job.ts";
import { codeOf } from "../destinations/local/errors.ts";
import { oneLine } from "../programs/line.ts";
import { type Destination, ObjectMissingError, RunFailedError } from "../ports.ts";
import { confirmDamage } from "./read_again.ts";

/**
 * Inspects an object's bytes. Throws a `RunFailedError` to report a fault. The inspector does not have to
 * read all bytes.
 */
export type Inspector = (stored: Bytes) => Promise<void>;

/** The fault that is reported for a missing object. */
export const MISSING = "it does not exist. It was deleted or moved";

const SPOOL_READ_BYTES = 256 * 1024;

export interface Bytes {
  readonly chunks: AsyncIterable<Uint8Array>;
  /**
   * The absolute path of a file with exactly these bytes, for programs that read files; null if there is no
   * such file.
   */
  readonly path: string | null;
}

export interface ReadBackOptions {
  /** Inspects the object's contents; null if the object can't be decrypted. */
  readonly inspect: Inspector | null;
  /** Called with the number of bytes in each chunk read. */
  count(bytes: number): void;
  /**
   * The absolute path of a temporary file, for an object that must be verified before it is inspected. The
   * file is removed at the end.
   */
  readonly spool: string;
}

/**
 * Reads an object back and inspects its contents. Returns the object's faults, one line each. The array is
 * empty if the object is undamaged. An object whose SHA-256 is wrong in two reads is damaged, whatever the
 * inspection finds.
 *
 * Rejects if the check is impossible. Examples: the destination does not answer, or a program was ended.
 */
export async function readBack(
  object: StoredObject,
  destination: Destination,
  options: ReadBackOptions,
): Promise<string[]> {
  const size = await sizeOf(object, destination);
  if (size === null) return [MISSING];
  if (size !== object.size) return [`it has ${size} bytes, ${object.size} were stored`];
  const reading = new Reading(destination.read(object.name, 0, object.size), options.count);
  try {
    const faults = object.role === "archive" || options.inspect === null
      ? await inspectWhileReading(object, reading, destination.localPath(object.name), options.inspect)
      : await inspectAfterReading(object, reading, options.inspect, options.spool);
    const { sha256 } = reading;
    if (sha256 !== null && sha256 !== object.sha256) {
      await confirmDamage(object, destination, sha256, options.count);
    }
    return faults;
  } catch (error) {
    if (isUnreadable(error)) return ["its disk can't read it back (EIO). Check the kernel's log"];
    throw error;
  } finally {
    await reading.close();
  }
}

/**
 * Inspects an archive while it is read. An archive might be too large to be stored in a temporary file first.
 * Returns the archive's faults.
 */
async function inspectWhileReading(
  { sha256 }: StoredObject,
  reading: Reading,
  path: string | null,
  look: Inspector | null,
): Promise<string[]> {
  const inspecting = look === null ? Promise.resolve() : look({ chunks: reading.rest(), path });
  const [inspected] = await Promise.allSettled([inspecting]);
  // If the read failed, the inspection's error says nothing about the object's contents.
  if (reading.failure !== null) throw reading.failure.error;
  // The inspection might have stopped early, so hash the remaining bytes.
  for await (const _ of reading.rest());
  const faults = differenceOf(reading, sha256);
  if (inspected.status === "fulfilled") return faults;
  if (inspected.reason instanceof RunFailedError) return [...faults, oneLine(inspected.reason.message)];
  if (faults.length > 0) return faults;
  throw inspected.reason;
}

/**
 * Reads an index or a manifest into a temporary file. Verifies its SHA-256. Only then inspects its contents.
 * Returns the faults.
 */
async function inspectAfterReading(
  { sha256 }: StoredObject,
  reading: Reading,
  look: Inspector,
  spool: string,
): Promise<string[]> {
  try {
    using file = await Deno.open(spool, { write: true, createNew: true, mode: 0o600 });
    for await (const chunk of reading.rest()) await writeAll(file, chunk);
    const faults = differenceOf(reading, sha256);
    if (faults.length > 0) return faults;
    await look({ chunks: chunksOf(spool), path: null });
    return [];
  } catch (error) {
    if (reading.failure !== null || !(error instanceof RunFailedError)) throw error;
    return [oneLine(error.message)];
  } finally {
    await Deno.remove(spool).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

async function writeAll(file: Deno.FsFile, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
}

async function* chunksOf(path: string): AsyncIterable<Uint8Array> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(SPOOL_READ_BYTES);
  for (let length = await file.read(buffer); length !== null; length = await file.read(buffer)) {
    yield buffer.subarray(0, length);
  }
}

function differenceOf(reading: Reading, expected: string): string[] {
  const sha256 = reading.sha256 ??= reading.digest();
  return sha256 === expected ? [] : [`its SHA-256 is ${sha256}, but ${expected} was stored`];
}

async function sizeOf({ name }: StoredObject, destination: Destination): Promise<number | null> {
  try {
    return await destination.size(name);
  } catch (error) {
    if (error instanceof ObjectMissingError) return null;
    throw error;
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof RunFailedError && codeOf(error.cause) === "EIO";
}

/**
 * One read of an object. Hashes the bytes that its consumers take. If one consumer stops early, another can
 * take the rest.
 */
class Reading {
  failure: { error: unknown } | null = null;
  /** The SHA-256 of all bytes; null until the end was reached. */
  sha256: string | null = null;
  readonly #hash = createHash("sha256");
  readonly #chunks: AsyncIterator<Uint8Array>;

  constructor(chunks: AsyncIterable<Uint8Array>, private readonly count: (bytes: number) => void) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async *rest(): AsyncIterable<Uint8Array> {
    for (;;) {
      const chunk = await this.#next();
      if (chunk === null) return;
      yield chunk;
    }
  }

  digest(): string {
    return this.#hash.digest("hex");
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #next(): Promise<Uint8Array | null> {
    try {
      const { value, done } = await this.#chunks.next();
      if (done) return null;
      this.#hash.update(value);
      this.count(value.length);
      return value;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}
