/** The process of the server that a connection is with, as the server tells when it lets somebody in. */
import { Buffer } from "node:buffer";
import { type Socket } from "node:net";

/** Message `BackendKeyData`. */
const BACKEND_KEY_DATA = "K".charCodeAt(0);
/** Message `ReadyForQuery`: nothing of it comes any more. */
const READY = "Z".charCodeAt(0);
/** Bytes. What a server says before that is a few hundred. */
const LIMIT = 64 * 1024;

/** Calls `found` with the process id, once, where the server tells one. Reads along: every byte still goes to whoever listens. */
export function readBackend(socket: Socket, found: (pid: number) => void): void {
  let bytes = Buffer.alloc(0);
  const read = (chunk: Uint8Array) => {
    bytes = Buffer.concat([bytes, chunk]);
    let isOver = bytes.length > LIMIT;
    // A message: its type, a length that counts itself, its content.
    while (!isOver && bytes.length >= 5 && bytes.length > bytes.readUInt32BE(1)) {
      if (bytes[0] === BACKEND_KEY_DATA) found(bytes.readUInt32BE(5));
      isOver = bytes[0] === BACKEND_KEY_DATA || bytes[0] === READY;
      bytes = bytes.subarray(bytes.readUInt32BE(1) + 1);
    }
    if (isOver) socket.off("data", read);
  };
  socket.on("data", read);
}
