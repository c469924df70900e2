/**
 * Downloads a file. Resumes after a lost connection, and gives the file its final name only once it is
 * complete.
 */
import { createHash, type Hash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { connectionError } from "./answer_error.ts";
import type { Api } from "./api.ts";
import { CommandError, EXIT } from "./command_error.ts";

export interface Download {
  /** The action in `Cannot <action>: …`. */
  readonly action: string;
  /** Opens the response, with further headers. The endpoint must support `Range`. */
  readonly open: (headers: Readonly<Record<string, string>>) => Promise<Response>;
  /** The path of the finished file. While incomplete, the file is named `<target>.partial`. */
  readonly target: string;
  /**
   * The expected size in bytes and the expected digest. If null, a partial file of an earlier call is not
   * reused, because it might belong to another object.
   */
  readonly expected: { readonly size: number; readonly sha256: string } | null;
}

export interface Downloaded {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** Called with the progress in bytes; `total` is null while it is unknown. */
type OnProgress = (done: number, total: number | null) => void;

const TRIES = 8;
/** The pause before the second attempt, in milliseconds. Each further pause is twice as long. */
const FIRST_PAUSE = 500;
const CHUNK = 1024 * 1024;

export async function download(api: Api, request: Download, onProgress: OnProgress): Promise<Downloaded> {
  const partial = `${request.target}.partial`;
  try {
    const file = await PartialFile.open(partial, request.expected);
    try {
      await fetchRest(api, request, file, onProgress);
      const sha256 = file.digest();
      if (request.expected !== null && sha256 !== request.expected.sha256) {
        await Deno.remove(partial);
        throw new CommandError(
          EXIT.failed,
          `Cannot ${request.action}: its SHA-256 is ${sha256}, not ${request.expected.sha256}; nothing was kept`,
        );
      }
      await file.sync();
      await Deno.rename(partial, request.target);
      return { path: request.target, size: file.size, sha256 };
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const { message } = error as Error;
    throw new CommandError(
      EXIT.failed,
      `Cannot ${request.action}: ${partial} can't be written (${message})`,
      {
        cause: error,
      },
    );
  }
}

async function fetchRest(api: Api, request: Download, file: PartialFile, onProgress: OnProgress) {
  let etag: string | null = null;
  for (let tries = 0;;) {
    if (request.expected !== null && file.size >= request.expected.size) return;
    const before = file.size;
    try {
      const response = await request.open(
        file.size === 0 ? {} : {
          range: `bytes=${file.size}-`,
          ...(etag === null ? {} : { "if-range": etag }),
        },
      );
      etag = response.headers.get("etag");
      return await receive(api, request, file, response, onProgress);
    } catch (error) {
      if (!(error instanceof CommandError) || error.code !== EXIT.unreachable) throw error;
      tries = file.size > before ? 1 : tries + 1;
      if (tries >= TRIES) throw error;
      await pause(FIRST_PAUSE * 2 ** (tries - 1));
    }
  }
}

/**
 * Writes the response's bytes to the file: the rest of the object, or all of it if the server ignored the
 * requested range.
 */
async function receive(
  api: Api,
  { action, expected }: Download,
  file: PartialFile,
  response: Response,
  onProgress: OnProgress,
): Promise<void> {
  const start = startOf(response);
  if (start !== file.size) {
    if (start !== 0) {
      throw new CommandError(EXIT.failed, `Cannot ${action}: the server sent another part of it`);
    }
    await file.restart();
  }
  const length = response.headers.get("content-length");
  const total = length === null ? expected?.size ?? null : start + Number(length);
  if (expected !== null && total !== expected.size) {
    await response.body?.cancel();
    throw new CommandError(
      EXIT.failed,
      `Cannot ${action}: it has ${total} bytes at its destination, but ${expected.size} were stored`,
    );
  }
  const lost = (cause: unknown) => connectionError(action, api.connection.url, cause);
  const reader = response.body!.getReader();
  while (true) {
    const { done, value } = await reader.read().catch((cause) => {
      throw lost(cause);
    });
    if (done) break;
    await file.append(value);
    onProgress(file.size, total);
  }
  if (total !== null && file.size < total) throw lost(new Error("the response ended too early"));
}

/** Returns the position in the file at which the response begins; NaN if the response does not state it. */
function startOf(response: Response): number {
  if (response.status !== 206) return 0;
  return Number(/^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1] ?? NaN);
}

class PartialFile {
  #hash: Hash = createHash("sha256");
  size = 0;

  private constructor(readonly path: string, private readonly file: Deno.FsFile) {}

  /**
   * Opens the partial file. Keeps the bytes from an earlier call if they might be the start of the expected
   * object. Otherwise empties the file.
   */
  static async open(path: string, expected: Download["expected"]): Promise<PartialFile> {
    const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
    // The mode above applies only to a new file, so set the mode of an existing file here. This fails if the
    // file belongs to another user.
    await Deno.chmod(path, 0o600);
    const partial = new PartialFile(path, file);
    const { size } = await file.stat();
    if (expected === null || size > expected.size) await partial.restart();
    else await partial.#readBack();
    return partial;
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.file.write(bytes.subarray(sent));
    this.#hash.update(bytes);
    this.size += bytes.length;
  }

  async restart(): Promise<void> {
    await this.file.truncate(0);
    await this.file.seek(0, Deno.SeekMode.Start);
    this.#hash = createHash("sha256");
    this.size = 0;
  }

  digest(): string {
    return this.#hash.digest("hex");
  }

  async sync(): Promise<void> {
    await this.file.sync();
  }

  close(): void {
    this.file.close();
  }

  async #readBack(): Promise<void> {
    const buffer = new Uint8Array(CHUNK);
    for (let count = await this.file.read(buffer); count !== null; count = await this.file.read(buffer)) {
      this.#hash.update(buffer.subarray(0, count));
      this.size += count;
    }
  }
}
