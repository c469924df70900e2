/**
 * A stored object read once, from start to end: hashed as it passes, and looked into where that is possible.
 */
import { createHash } from "node:crypto";
import type { StoredObject } from "../../../src/protocol/job.ts";
import { codeOf } from "../destinations/local/errors.ts";
import { oneLine } from "../programs/line.ts";
import { type Destination, ObjectMissingError, RunFailedError } from "../ports.ts";
import { confirmDamage } from "./read_again.ts";

/** Takes what was stored. It may stop early; a `RunFailedError` of its own tells of a fault. */
export type Look = (stored: Bytes) => Promise<void>;

/** The fault of an object that is gone. */
export const MISSING = "it is not there. It was deleted or moved away";

const SPOOL_READ_BYTES = 256 * 1024;

export interface Bytes {
  readonly chunks: AsyncIterable<Uint8Array>;
  /**
   * Absolute, of a file that holds just these bytes, for programs to read by themselves; null where there is
   * none.
   */
  readonly path: string | null;
}

export interface ReadBackOptions {
  /** Null where the object can't be opened. */
  readonly look: Look | null;
  /** Takes how many stored bytes were read. */
  count(bytes: number): void;
  /**
   * An absolute path, for the bytes of an object that must be proven before it is looked into; removed in the
   * end.
   */
  readonly spool: string;
}

/**
 * Everything that is wrong with the object, a line each; nothing where it is as it was stored.
 *
 * Rejects where that could not be found out: the destination does not answer, or a program was ended. An
 * object with another SHA-256 than the stored one, in two reads, is damaged whatever a look makes of it.
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
    const faults = object.role === "archive" || options.look === null
      ? await lookWhileReading(object, reading, destination.localPath(object.name), options.look)
      : await lookOnceProven(object, reading, options.look, options.spool);
    const { sha256 } = reading;
    if (sha256 !== null && sha256 !== object.sha256) {
      await confirmDamage(object, destination, sha256, options.count);
    }
    return faults;
  } catch (error) {
    if (isUnreadable(error)) return ["its disk can't read it back (EIO). See the kernel's log"];
    throw error;
  } finally {
    await reading.close();
  }
}

/** An archive is read once: it may be as large as a disk. */
async function lookWhileReading(
  { sha256 }: StoredObject,
  reading: Reading,
  path: string | null,
  look: Look | null,
): Promise<string[]> {
  const looking = look === null ? Promise.resolve() : look({ chunks: reading.rest(), path });
  const [looked] = await Promise.allSettled([looking]);
  // A failed read is no fault of the object's content.
  if (reading.failure !== null) throw reading.failure.error;
  // A look may have seen enough.
  for await (const _ of reading.rest());
  const faults = differenceOf(reading, sha256);
  if (looked.status === "fulfilled") return faults;
  if (looked.reason instanceof RunFailedError) return [...faults, oneLine(looked.reason.message)];
  if (faults.length > 0) return faults;
  throw looked.reason;
}

/** Parses an index or a manifest only once its bytes are known to be those that were stored. */
async function lookOnceProven(
  { sha256 }: StoredObject,
  reading: Reading,
  look: Look,
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

/** Bytes on their way from the destination; who stops taking them leaves the rest to the next. */
class Reading {
  failure: { error: unknown } | null = null;
  /** Of all of it; null before its end. */
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
