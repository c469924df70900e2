/** Reads request bodies: their bytes, up to a limit, and their fields. */
import { HttpError } from "../errors.ts";
import { parseForm } from "./form.ts";
import { repeatedNames } from "./repeated_names.ts";

/** Time limit for receiving a body, in milliseconds. */
export const DEFAULT_BODY_TIMEOUT = 60_000;
/** Default for the maximum size of a body, in bytes. */
export const DEFAULT_BODY_LIMIT = 1_048_576;

export interface RequestBody {
  /** The body as sent; empty if there is none. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The JSON value or the form's fields; undefined if there is no body. */
  readonly value: unknown;
  /** Paths of fields that the body contains more than once. `value` has only one value of each. */
  readonly repeated: readonly string[];
}

export const NO_BODY: RequestBody = { bytes: new Uint8Array(), value: undefined, repeated: [] };

/**
 * Reads a body. Throws a 413 for more than `limit` bytes. Throws a 408 if the body does not arrive in time.
 * Throws a 415 for an unsupported type or coding. Throws a 400 for invalid text.
 */
export async function readBody(
  request: Request,
  limit: number,
  timeoutMs = DEFAULT_BODY_TIMEOUT,
): Promise<RequestBody> {
  if (request.body === null) return NO_BODY;
  const bytes = await readBytes(request.body, request, limit, timeoutMs);
  if (bytes.length === 0) return NO_BODY;
  const read = reader(request);
  return { ...read(decode(bytes)), bytes };
}

/**
 * Returns the parser for the body's format. Throws a 415 for an unsupported media type, charset or content
 * encoding.
 */
function reader(request: Request): (text: string) => Pick<RequestBody, "value" | "repeated"> {
  const coding = request.headers.get("content-encoding");
  if (coding !== null && coding.toLowerCase() !== "identity") {
    throw new HttpError(415, "The request body must not be compressed.");
  }
  const [type = "", ...parameters] = (request.headers.get("content-type") ?? "").toLowerCase().split(";");
  const charset = parameters.map((each) => each.trim()).find((each) => each.startsWith("charset="));
  if (charset !== undefined && !/^charset="?(utf-?8|us-ascii)"?$/.test(charset)) {
    throw new HttpError(415, "The request body must be in UTF-8.");
  }
  if (type.trim() === "application/json") return parseJson;
  if (type.trim() === "application/x-www-form-urlencoded") return parseForm;
  throw new HttpError(
    415,
    "The request body must be application/json or application/x-www-form-urlencoded; set Content-Type accordingly.",
  );
}

async function readBytes(
  body: ReadableStream<Uint8Array>,
  request: Request,
  limit: number,
  timeoutMs: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body.getReader();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => {}); // the read below ends
  }, timeoutMs);
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (isLate) {
        throw new HttpError(408, "The request body did not arrive in time.", { Connection: "close" });
      }
      if (done) break;
      size += value.length;
      if (size > limit) throw tooLarge(limit);
      chunks.push(value);
    }
  } catch (cause) {
    await reader.cancel().catch(() => {});
    if (cause instanceof HttpError) throw cause;
    throw new HttpError(400, "The request body ended early."); // nobody receives this response
  } finally {
    clearTimeout(timer);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function tooLarge(limit: number): HttpError {
  return new HttpError(413, `The request body must not be larger than ${limit} bytes.`);
}

function decode(bytes: Uint8Array<ArrayBuffer>): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpError(400, "The request body is not valid UTF-8.");
  }
}

function parseJson(text: string): Pick<RequestBody, "value" | "repeated"> {
  if (text.trim() === "") return NO_BODY;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpError(400, "The request body is not valid JSON.");
  }
  return { value, repeated: repeatedNames(text) };
}
