/**
 * Reads an object with HTTP range requests. If the server ignores the range, reads the object from its start
 * and drops the bytes before the range.
 */
import { RunFailedError } from "../../ports.ts";
import { endsEarly } from "../object_name.ts";
import { RangedReader, type RangeSource, TryFailed } from "../ranged_reader.ts";
import { tlsReason } from "../../../../src/domain/tls_fault.ts";
import { explain, type Refusal } from "./answers.ts";
import type { DavDirectory } from "./directory.ts";

export function davReader(directory: DavDirectory, name: string): RangedReader {
  const { clock, signal, limits } = directory.client.ports;
  return new RangedReader(new DavRanges(directory, name), clock, signal, limits.patienceMs);
}

class DavRanges implements RangeSource {
  readonly what: string;
  readonly idleMs: number;

  constructor(private readonly directory: DavDirectory, private readonly name: string) {
    this.what = `${name} in ${directory.what}`;
    this.idleMs = directory.client.ports.limits.idleMs;
  }

  async request(from: number, to: number, signal: AbortSignal): Promise<Response> {
    const { client } = this.directory;
    const headers = { ...client.login, range: `bytes=${from}-${to - 1}`, "accept-encoding": "identity" };
    let response: Response;
    try {
      response = await fetch(this.directory.urlOf(this.name), { headers, signal, redirect: "manual" });
    } catch (error) {
      const tls = tlsReason(error);
      if (tls !== null) throw new TryFailed(`${tls}.`, false);
      throw error;
    }
    return response.status === 200 ? await this.#fromStart(response, from, to) : response;
  }

  async explain(response: Response, from: number, to: number): Promise<TryFailed | RunFailedError> {
    await response.body?.cancel();
    const { status } = response;
    if (status === 416) return endsEarly(this.what, from, to);
    if (status === 404) return await this.directory.missing(this.name);
    const headers = Object.fromEntries(response.headers);
    const { reason, waits }: Refusal = explain({ status, headers, body: "" });
    return new TryFailed(reason, waits);
  }

  waiting(reason: string): void {
    this.directory.client.ports.output?.line(`Waiting for ${this.what}: ${reason}`);
  }

  /**
   * Removes the bytes before the range from a response that contains the whole object. Rejects if the
   * response does not contain the object.
   */
  async #fromStart(response: Response, from: number, to: number): Promise<Response> {
    const size = await this.directory.sizeOf(this.name);
    if (size === null || response.headers.get("content-length") !== String(size)) {
      await response.body?.cancel();
      throw new RunFailedError(
        `Cannot read ${this.what}: the server ignores ranges, and does not answer with the object. Check webdav_url, ` +
          "and what stands before the server.",
      );
    }
    if (from >= size) {
      await response.body?.cancel();
      throw endsEarly(this.what, size, to);
    }
    let skipped = 0;
    const skip = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const start = Math.min(from - skipped, chunk.length);
        skipped += start;
        if (start < chunk.length) controller.enqueue(chunk.subarray(start));
      },
    });
    const headers = { "content-range": `bytes ${from}-${size - 1}/${size}` };
    return new Response(response.body!.pipeThrough(skip), { status: 206, headers });
  }
}
