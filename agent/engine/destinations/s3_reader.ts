/** An object of a bucket by signed URLs, asked for anew where one runs out. */
import type { Clock } from "../../../src/domain/clock.ts";
import { type Downloads, ObjectMissingError, type RunFailedError } from "../ports.ts";
import { endsEarly } from "./object_name.ts";
import { RangedReader, type RangeSource, TryFailed } from "./ranged_reader.ts";

/** Of a URL's life. */
const USABLE = 0.75;

export interface S3ReaderPorts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly downloads: Downloads;
}

/** @param place For messages: `bucket b`. */
export function s3Reader(name: string, place: string, ports: S3ReaderPorts): RangedReader {
  return new RangedReader(new SignedRanges(name, place, ports), ports.clock, ports.signal);
}

class SignedRanges implements RangeSource {
  readonly what: string;
  readonly tries = 6;
  readonly idleMs = 60_000;
  #signed: { url: string; until: number } | null = null;

  constructor(private readonly name: string, place: string, private readonly ports: S3ReaderPorts) {
    this.what = `${name} from ${place}`;
  }

  async request(from: number, to: number, signal: AbortSignal): Promise<Response> {
    return await fetch(await this.#url(), { headers: { range: `bytes=${from}-${to - 1}` }, signal });
  }

  async explain(response: Response, from: number, to: number): Promise<TryFailed | RunFailedError> {
    const { status } = response;
    const code = errorCodeIn((await response.text()).slice(0, 64 * 1024));
    if (status === 416) return endsEarly(this.what, from, to);
    if (status === 404 && code === "NoSuchKey") {
      return new ObjectMissingError(
        `Cannot read ${this.what}: it is not there. It was deleted or moved away.`,
      );
    }
    // Without a code of S3's, something in front of the bucket answers, which may pass.
    if (status === 404 && code === undefined) {
      return new TryFailed("it answers 404, but not as S3 does", true);
    }
    // Run out, or signed with keys that were changed since.
    if (status === 403) this.#signed = null;
    const waits = status === 403 || status === 429 || status >= 500;
    return new TryFailed(`it answers ${status}${code === undefined ? "" : ` ${code}`}`, waits);
  }

  async #url(): Promise<string> {
    const { clock, downloads, signal } = this.ports;
    if (this.#signed === null || clock.monotonic() >= this.#signed.until) {
      const signedAt = clock.monotonic();
      const { url, expiresInMs } = await downloads.sign(this.name, signal);
      this.#signed = { url, until: signedAt + expiresInMs * USABLE };
    }
    return this.#signed.url;
  }
}

/** The code of an S3 error document. */
function errorCodeIn(text: string): string | undefined {
  return /<Error\b[^]*?<Code>([^<]{1,100})<\/Code>/.exec(text)?.[1];
}
