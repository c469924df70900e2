/** If a server refuses a connection, makes sure that postgres.js notices the refusal. */
import { Buffer } from "node:buffer";
import { type Socket } from "node:net";

/** Type of the message `ErrorResponse`. */
const ERROR = "E".charCodeAt(0);
/** Type of the message `ReadyForQuery`. The server sends it after it has accepted the connection. */
const READY = "Z".charCodeAt(0);
/** Fields of an `ErrorResponse`: their codes, and the names that postgres.js gives them. */
const FIELDS: Readonly<Record<string, string>> = {
  C: "code",
  D: "detail",
  H: "hint",
  M: "message",
  V: "severity",
};

/**
 * If the server refuses a connection, turns the refusal into an error of the socket. A refusal is, for
 * example, the response to a wrong password.
 *
 * This works around a defect of postgres.js 3.4.9. Each connection takes a position in its pool. If the
 * previous connection in a position broke during a query, postgres.js might mistake the refusal of the new
 * connection for the answer to that query. postgres.js then connects again and again, and the query that
 * waits for the new connection never settles.
 */
export function withRefusalsAsErrors(socket: Socket): Socket {
  const emit = socket.emit.bind(socket) as (event: string, ...values: unknown[]) => boolean;
  let bytes = Buffer.alloc(0);
  let isOver = false;
  /**
   * Reads the complete messages that have arrived. Stops once the server has accepted or refused the
   * connection. Returns the refusal; null if there is none so far.
   */
  const read = (chunk: Uint8Array): Error | null => {
    bytes = Buffer.concat([bytes, chunk]);
    // A message consists of its type (1 byte), a length that includes itself (4 bytes), and its content.
    while (bytes.length >= 5 && bytes.length > bytes.readUInt32BE(1)) {
      const end = bytes.readUInt32BE(1) + 1;
      if (bytes[0] === ERROR) return refusal(bytes.subarray(5, end));
      isOver = bytes[0] === READY;
      if (isOver) return null;
      bytes = bytes.subarray(end);
    }
    return null;
  };
  socket.emit = (event: string, ...values: unknown[]) => {
    const error = event === "data" && !isOver ? read(values[0] as Uint8Array) : null;
    if (error === null) return emit(event, ...values);
    isOver = true;
    emit("error", error);
    socket.destroy();
    return true;
  };
  return socket;
}

/** Returns the same error that postgres.js would build from an `ErrorResponse` with this content. */
function refusal(content: Buffer): Error {
  const fields: Record<string, string> = {};
  for (const field of content.toString("utf8").split("\0")) {
    const name = FIELDS[field.charAt(0)];
    if (name !== undefined) fields[name] = field.slice(1);
  }
  return Object.assign(new Error(fields.message), { ...fields, name: "PostgresError" });
}
