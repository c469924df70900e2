/**
 * Splits a websocket's bytes into frames (RFC 6455, section 5.2), and finds the type of the message in each
 * frame.
 */

/**
 * The agent's messages, by their names in docs/develop/protocol.md. Each kind of run event has a name of its
 * own.
 */
export const AGENT_FRAMES = [
  "hello",
  "accepted",
  "output",
  "progress",
  "finished",
  "upload.open",
  "upload.parts",
  "upload.complete",
  "upload.abort",
  "response",
] as const;
export const CONTROL_PLANE_FRAMES = [
  "welcome",
  "run.start",
  "run.cancel",
  "ack",
  "upload.opened",
  "upload.signed",
  "upload.completed",
  "upload.aborted",
  "upload.refused",
  "request",
] as const;
export type FrameKind = typeof AGENT_FRAMES[number] | typeof CONTROL_PLANE_FRAMES[number];

export interface Frame {
  /** The bytes of the frame as received, with header and mask. */
  readonly bytes: Uint8Array;
  /** The message of a text frame; null for other frames. */
  readonly message: Message | null;
  /** The name by which fault plans refer to the frame; null for a frame that they do not use. */
  readonly kind: FrameKind | null;
}

/** The fields of a message that the harness uses. */
export interface Message {
  readonly type: string;
  readonly run_id?: number;
  readonly attempt?: number;
  readonly sequence?: number;
  readonly event?: { readonly kind: string; readonly text?: string };
}

const KINDS: ReadonlySet<string> = new Set([...AGENT_FRAMES, ...CONTROL_PLANE_FRAMES]);
const TEXT = 1;

export class FrameSplitter {
  #rest = new Uint8Array(0);

  /** Yields the frames that are complete. Keeps the rest until more bytes arrive. */
  *push(chunk: Uint8Array): Iterable<Frame> {
    this.#rest = concatenate(this.#rest, chunk);
    for (let size = frameSize(this.#rest); size !== null; size = frameSize(this.#rest)) {
      const bytes = this.#rest.slice(0, size);
      this.#rest = this.#rest.slice(size);
      const message = messageOf(bytes);
      yield { bytes, message, kind: kindOf(message) };
    }
  }
}

export function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

interface Header {
  readonly opcode: number;
  readonly maskAt: number | null;
  readonly payloadAt: number;
  readonly size: number;
}

/** Returns the header at the beginning of the bytes; null if it is incomplete. */
function headerOf(bytes: Uint8Array): Header | null {
  if (bytes.length < 2) return null;
  const isMasked = (bytes[1]! & 0x80) !== 0;
  const short = bytes[1]! & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const payloadAt = 2 + extended + (isMasked ? 4 : 0);
  if (bytes.length < payloadAt) return null;
  let length = extended === 0 ? short : 0;
  for (let at = 2; at < 2 + extended; at++) length = length * 256 + bytes[at]!;
  return {
    opcode: bytes[0]! & 0x0f,
    maskAt: isMasked ? 2 + extended : null,
    payloadAt,
    size: payloadAt + length,
  };
}

function frameSize(bytes: Uint8Array): number | null {
  const header = headerOf(bytes);
  return header === null || bytes.length < header.size ? null : header.size;
}

function messageOf(bytes: Uint8Array): Message | null {
  const { maskAt, opcode, payloadAt } = headerOf(bytes)!;
  if (opcode !== TEXT) return null;
  const payload = bytes.slice(payloadAt);
  if (maskAt !== null) {
    for (let at = 0; at < payload.length; at++) payload[at]! ^= bytes[maskAt + (at & 3)]!;
  }
  return JSON.parse(new TextDecoder().decode(payload)) as Message;
}

function kindOf(message: Message | null): FrameKind | null {
  const name = message?.type === "run.event" ? message.event!.kind : message?.type;
  return name !== undefined && KINDS.has(name) ? name as FrameKind : null;
}
