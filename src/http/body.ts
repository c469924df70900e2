/** Request bodies: their bytes, within the limit, and what they say. */
import { HttpError } from "./errors.ts";
import { parseForm } from "./form.ts";

/** Bytes, unless configured. */
export const DEFAULT_BODY_LIMIT = 1_048_576;

export interface RequestBody {
  /** As sent; empty when there is none. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The JSON value or the form's fields; undefined when there is no body. */
  readonly value: unknown;
}

export const NO_BODY: RequestBody = { bytes: new Uint8Array(), value: undefined };

/** Throws a 413 over `limit` bytes, a 415 for a type or coding that isn't read here, a 400 for broken text. */
export async function readBody(request: Request, limit: number): Promise<RequestBody> {
  if (request.body === null) return NO_BODY;
  const bytes = await readBytes(request, limit);
  if (bytes.length === 0) return NO_BODY;
  const read = reader(request);
  return { bytes, value: read(decode(bytes)) };
}

/** Which of the two body formats it is. */
function reader(request: Request): (text: string) => unknown {
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
    "The request body must be application/json or application/x-www-form-urlencoded; say which in Content-Type.",
  );
}

async function readBytes(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body!) {
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof HttpError) throw cause;
    throw new HttpError(400, "The request body ended early."); // nobody is left to read this
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

function parseJson(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, "The request body is not valid JSON.");
  }
}
