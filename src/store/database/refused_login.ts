/** Reports a server's refusal of a connection to postgres.js. */
import { Buffer } from "node:buffer";
import { type Socket } from "node:net";

/** Message `ErrorResponse`. */
const ERROR = "E".charCodeAt(0);
/** Message `ReadyForQuery`: the server has accepted the connection. */
const READY = "Z".charCodeAt(0);
/** Fields of an `ErrorResponse`, as postgres.js names them. */
const FIELDS: Readonly<Record<string, string>> = {
  C: "code",
  D: "detail",
  H: "hint",
  M: "message",
  V: "severity",
};

/**
 * Turns a refusal, such as of a password, into an error of the socket. If the previous connection in this
 * place of the pool broke with a query under way, postgres.js 3.4.9 takes the refusal for the answer to that
 * query and connects again, for as long as the server refuses: the query that wants the connection never
 * settles.
 */
export function withRefusalsAsErrors(socket: Socket): Socket {
  const emit = socket.emit.bind(socket) as (event: string, ...values: unknown[]) => boolean;
  let bytes = Buffer.alloc(0);
  let isOver = false;
  /** Reads to the end of the greeting. Returns the refusal in it, if there is one. */
  const read = (chunk: Uint8Array): Error | null => {
    bytes = Buffer.concat([bytes, chunk]);
    // A message: its type, a length that includes itself, and its content.
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

/** Builds the error that postgres.js makes of the same message. */
function refusal(content: Buffer): Error {
  const fields: Record<string, string> = {};
  for (const field of content.toString("utf8").split("\0")) {
    const name = FIELDS[field.charAt(0)];
    if (name !== undefined) fields[name] = field.slice(1);
  }
  return Object.assign(new Error(fields.message), { ...fields, name: "PostgresError" });
}
