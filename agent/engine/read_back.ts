/** A stored object read once, from start to end: hashed as it passes, and looked into where that is possible. */
import { createHash } from "node:crypto";
import type { StoredObject } from "../../src/protocol/job.ts";
import { codeOf } from "./destinations/local_errors.ts";
import { oneLine } from "./line.ts";
import { type Destination, ObjectMissingError, RunFailedError } from "./ports.ts";

/** Takes what was stored. It may stop early; a `RunFailedError` of its own tells of a fault. */
export type Look = (stored: Bytes) => Promise<void>;

export interface Bytes {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Absolute, of a file that holds just these bytes, for programs to read by themselves; null where there is none. */
  readonly path: string | null;
}

/**
 * Everything that is wrong with the object, a line each; nothing where it is as it was stored.
 *
 * Rejects where that could not be found out: the destination does not answer, or a program was ended.
 */
export async function readBack(
  object: StoredObject,
  destination: Destination,
  look: Look | null,
  count: (bytes: number) => void,
): Promise<string[]> {
  const size = await sizeOf(object, destination);
  if (size === null) return ["it is not there. It was deleted or moved away"];
  if (size !== object.size) return [`it has ${size} bytes, ${object.size} were stored`];
  const reading = new Reading(destination.read(object.name, 0, object.size), count);
  try {
    const fault = look === null ? null : await faultOf(
      look({ chunks: reading.rest(), path: destination.localPath(object.name) }),
      reading,
    );
    // A look may have seen enough.
    for await (const _ of reading.rest());
    const sha256 = reading.digest();
    const faults = sha256 === object.sha256
      ? []
      : [`its SHA-256 is ${sha256}, but ${object.sha256} was stored`];
    return fault === null ? faults : [...faults, fault];
  } catch (error) {
    if (isUnreadable(error)) return ["its disk can't read it back (EIO). See the kernel's log"];
    throw error;
  } finally {
    await reading.close();
  }
}

async function sizeOf({ name }: StoredObject, destination: Destination): Promise<number | null> {
  try {
    return await destination.size(name);
  } catch (error) {
    if (error instanceof ObjectMissingError) return null;
    throw error;
  }
}

async function faultOf(looking: Promise<void>, reading: Reading): Promise<string | null> {
  try {
    await looking;
    return null;
  } catch (error) {
    // What could not be read is no fault of what is in it.
    if (reading.failure !== null) throw reading.failure.error;
    if (!(error instanceof RunFailedError)) throw error;
    return oneLine(error.message);
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof RunFailedError && codeOf(error.cause) === "EIO";
}

/** Bytes on their way from the destination; who stops taking them leaves the rest to the next. */
class Reading {
  failure: { error: unknown } | null = null;
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
