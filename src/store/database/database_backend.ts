/**
 * Finds out which server process serves a connection, from a message that the server sends after
 * authentication.
 */
import { Buffer } from "node:buffer";
import { type Socket } from "node:net";

/** Type of the message `BackendKeyData`, which contains the process id. */
const BACKEND_KEY_DATA = "K".charCodeAt(0);
/** Type of the message `ReadyForQuery`, after which no `BackendKeyData` comes. */
const READY = "Z".charCodeAt(0);
/** Maximum number of bytes to read. A server sends a few hundred bytes before `ReadyForQuery`. */
const LIMIT = 64 * 1024;

/**
 * Calls `found` once with the id of the server process, if the server sends it. Other listeners of the socket
 * still receive every byte.
 */
export function readBackend(socket: Socket, found: (pid: number) => void): void {
  let bytes = Buffer.alloc(0);
  const read = (chunk: Uint8Array) => {
    bytes = Buffer.concat([bytes, chunk]);
    let isOver = bytes.length > LIMIT;
    // A message consists of its type (1 byte), a length that includes itself (4 bytes), and its content.
    while (!isOver && bytes.length >= 5 && bytes.length > bytes.readUInt32BE(1)) {
      if (bytes[0] === BACKEND_KEY_DATA) found(bytes.readUInt32BE(5));
      isOver = bytes[0] === BACKEND_KEY_DATA || bytes[0] === READY;
      bytes = bytes.subarray(bytes.readUInt32BE(1) + 1);
    }
    if (isOver) socket.off("data", read);
  };
  socket.on("data", read);
}
