/**
 * Encodes messages as frames and decodes them. A frame is one JSON text of at most {@link MAX_FRAME}
 * characters.
 */
import type * as z from "zod";
import { AgentMessage, ServerMessage } from "./wire_messages.ts";

/** Maximum length of a frame in characters. A longer frame ends the connection. */
export const MAX_FRAME = 1_048_576;

/** Maximum number of characters of a peer's text in an error or in the log. */
const SHOWN_CHARACTERS = 64;

/**
 * Reports that a peer broke the protocol: a frame is too long, is not JSON, or has a known type and a wrong
 * shape.
 */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

export type Decoded<T> = { known: true; message: T } | { known: false; type: string };

export function encode(message: AgentMessage | ServerMessage): string {
  return JSON.stringify(message);
}

/**
 * Decodes a frame of an agent. Returns `known: false` for a type that this version does not support; callers
 * ignore such a frame.
 */
export function decodeAgentMessage(frame: unknown): Decoded<AgentMessage> {
  return decode(AgentMessage, AGENT_TYPES, frame);
}

export function decodeServerMessage(frame: unknown): Decoded<ServerMessage> {
  return decode(ServerMessage, SERVER_TYPES, frame);
}

const typesOf = (union: { options: readonly { shape: { type: { value: string } } }[] }) =>
  new Set(union.options.map((option) => option.shape.type.value));
const AGENT_TYPES = typesOf(AgentMessage);
const SERVER_TYPES = typesOf(ServerMessage);

function decode<T>(schema: z.ZodType<T>, types: ReadonlySet<string>, frame: unknown): Decoded<T> {
  if (typeof frame !== "string") throw new ProtocolError("Cannot read a frame: it is not text");
  if (frame.length > MAX_FRAME) {
    throw new ProtocolError(
      `Cannot read a frame: it has ${frame.length} characters, at most ${MAX_FRAME} may be sent`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    throw new ProtocolError("Cannot read a frame: it is not JSON");
  }
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
  if (typeof type !== "string") throw new ProtocolError("Cannot read a frame: it has no type");
  if (!types.has(type)) return { known: false, type: printable(type) };
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ProtocolError(
      `Cannot read a ${type} message: ${printable(issue?.path.join(".") || "it")}: ${
        printable(issue?.message ?? "is wrong")
      }`,
    );
  }
  return { known: true, message: parsed.data };
}

/** Returns a text that the peer chose, such as the name of a field, as one short line of valid Unicode. */
function printable(text: string): string {
  const short = text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
  // deno-lint-ignore no-control-regex
  return short.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "\uFFFD");
}
