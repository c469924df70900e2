/**
 * Reads a file from an SSH server with many requests at the same time. If requests were sent one at a time,
 * each would wait for the network.
 */
import { Buffer } from "node:buffer";
import { endsEarly } from "../object_name.ts";
import type { SftpConnection } from "./connection.ts";
import type { SftpSession } from "./session.ts";

/** Size of one request in bytes. Every server answers a request of this size in one response. */
const REQUEST_BYTES = 32 * 1024;
const IN_FLIGHT = 64;

/**
 * Yields the bytes from `from` up to, but not including, `to`. If the connection breaks, continues at the
 * same byte on a new connection.
 */
export async function* readSteadily(
  connection: SftpConnection,
  path: string,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  for (let at = from; at < to;) {
    const session = await connection.session();
    try {
      for await (const chunk of readFile(session, path, at, to, signal)) {
        at += chunk.length;
        connection.progressed();
        yield chunk;
      }
    } catch (error) {
      await connection.recover(session, error);
    }
  }
}

/** Yields the bytes from `from` up to, but not including, `to`, in one session. */
export async function* readFile(
  session: SftpSession,
  path: string,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const handle = await session.openFile(path);
  const pending: Promise<Uint8Array>[] = [];
  try {
    for (let at = from; at < to || pending.length > 0;) {
      signal.throwIfAborted();
      while (at < to && pending.length < IN_FLIGHT) {
        const end = Math.min(at + REQUEST_BYTES, to);
        const piece = readWhole(session, path, handle, at, end);
        // Prevents an unhandled rejection: the piece is awaited later, or never if an earlier piece fails.
        piece.catch(() => {});
        pending.push(piece);
        at = end;
      }
      yield await pending.shift()!;
    }
  } finally {
    await Promise.allSettled(pending);
    // Ignore a failed close: the bytes that were read are right.
    if (!session.isLost) await session.closeFile(path, handle).catch(() => {});
  }
}

/**
 * Returns a range of a file. Repeats the request until the range is complete, because a server may return
 * fewer bytes than requested.
 */
async function readWhole(
  session: SftpSession,
  path: string,
  handle: Buffer,
  from: number,
  to: number,
): Promise<Uint8Array> {
  const buffer = Buffer.alloc(to - from);
  for (let at = from; at < to;) {
    const rest = buffer.subarray(at - from);
    const length = await session.readAt(path, handle, rest, rest.length, at);
    if (length === 0) throw endsEarly(path, at, to);
    at += length;
  }
  return buffer;
}
