/**
 * Finds the server process behind a connection, from the message that the server sends after authentication.
 */
import { Buffer } from "node:buffer";
import { type Socket } from "node:net";

/** Message `BackendKeyData`. */
const BACKEND_KEY_DATA = "K".charCodeAt(0);
/** Message `ReadyForQuery`: the message searched for does not come after it. */
const READY = "Z".charCodeAt(0);
/** Maximum bytes to read. A server sends a few hundred before `ReadyForQuery`. */
const LIMIT = 64 * 1024;

/**
 * Calls `found` once with the process id, if the server sends one. Other listeners still receive every byte.
 */
export function readBackend(socket: Socket, found: (pid: number) => void): void {
  let bytes = Buffer.alloc(0);
  const read = (chunk: Uint8Array) => {
    bytes = Buffer.concat([bytes, chunk]);
    let isOver = bytes.length > LIMIT;
    // A message: its type, a length that includes itself, and its content.
    while (!isOver && bytes.length >= 5 && bytes.length > bytes.readUInt32BE(1)) {
      if (bytes[0] === BACKEND_KEY_DATA) found(bytes.readUInt32BE(5));
      isOver = bytes[0] === BACKEND_KEY_DATA || bytes[0] === READY;
      bytes = bytes.subarray(bytes.readUInt32BE(1) + 1);
    }
    if (isOver) socket.off("data", read);
  };
  socket.on("data", read);
}
