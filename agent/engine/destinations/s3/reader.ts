/** Reads an object of a bucket with a signed URL. Requests a new URL when the old one expires. */
import type { Clock } from "../../../../src/domain/clock.ts";
import { type Downloads, ObjectMissingError, type Output, type RunFailedError } from "../../ports.ts";
import type { DestinationLimits } from "../limits.ts";
import { endsEarly } from "../object_name.ts";
import { RangedReader, type RangeSource, readSome, TryFailed } from "../ranged_reader.ts";
import { foreignAnswer, readRefusal, REFUSAL_LIMIT } from "./answers.ts";

/** Share of a URL's lifetime in which the URL is used. */
const USABLE = 0.75;
/** Number of consecutively refused URLs after which the read fails. */
const REFUSALS = 4;
/**
 * Time in milliseconds after which earlier refusals no longer count. A refusal that comes so long after the
 * previous one most likely means only that the URL has expired.
 */
const FORGIVEN = 5 * 60_000;

export interface S3ReaderPorts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly downloads: Downloads;
  readonly output: Pick<Output, "line"> | null;
  readonly limits: DestinationLimits;
}

/**
 * Returns a reader for an object of a bucket.
 *
 * @param place The bucket, for messages: `bucket b`.
 */
export function s3Reader(name: string, place: string, ports: S3ReaderPorts): RangedReader {
  const { clock, signal, limits } = ports;
  return new RangedReader(new SignedRanges(name, place, ports), clock, signal, limits.patienceMs);
}

class SignedRanges implements RangeSource {
  readonly what: string;
  readonly idleMs: number;
  #refusals = 0;
  #isAnyRead = false;
  #refusedAt = -Infinity;
  #signed: { url: string; until: number } | null = null;

  constructor(private readonly name: string, place: string, private readonly ports: S3ReaderPorts) {
    this.what = `${name} from ${place}`;
    this.idleMs = ports.limits.idleMs;
  }

  async request(from: number, to: number, signal: AbortSignal): Promise<Response> {
    const headers = { range: `bytes=${from}-${to - 1}` };
    // Do not follow redirects: a signature is valid for one address only.
    const response = await fetch(await this.#url(), { headers, signal, redirect: "manual" });
    this.#isAnyRead ||= response.status === 206;
    return response;
  }

  async explain(response: Response, from: number, to: number): Promise<TryFailed | RunFailedError> {
    const { status } = response;
    const { code, message, isForeign } = readRefusal(status, await readSome(response, REFUSAL_LIMIT));
    if (isForeign) return new TryFailed(foreignAnswer(status), true);
    if (status === 416) return endsEarly(this.what, from, to);
    if (status === 404 && code === "NoSuchKey") {
      return new ObjectMissingError(
        `Cannot read ${this.what}: it does not exist. It was deleted or moved.`,
      );
    }
    // S3 responds to a GET of a missing object with an error document. A 404 without an error document comes
    // from another program, such as a proxy.
    if (status === 404 && code === null) {
      return new TryFailed("it responds with 404, but not in S3's format", true);
    }
    // Either the URL has expired, or the access key was changed. A retry with a new URL shows which of the
    // two happened. Waiting without a new URL does not help.
    const isRefused = status === 401 || status === 403;
    if (isRefused) {
      this.#signed = null;
      const now = this.ports.clock.monotonic();
      if (now - this.#refusedAt > FORGIVEN) this.#refusals = 0;
      this.#refusedAt = now;
    }
    // If an access key worked before, wait: the operator may be about to enter a new key in the destination.
    const waits = isRefused ? this.#isAnyRead || ++this.#refusals < REFUSALS : isPassing(status);
    const said = [code ?? "", message].filter((text) => text !== "").join(": ");
    return new TryFailed(`it answers ${status}${said === "" ? "" : ` ${said}`}`, waits);
  }

  waiting(reason: string): void {
    this.ports.output?.line(`Waiting for ${this.what}: ${reason}`);
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

function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500 && status !== 501;
}
