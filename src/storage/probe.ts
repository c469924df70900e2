/** Checks a bucket: tries the operations that a backup needs. */
import type { Clock } from "../domain/clock.ts";
import { objectKey } from "../domain/location.ts";
import type { Network } from "../network/network.ts";
import type { AddressGuesses } from "./s3_address.ts";
import { readRefusal, refusalError } from "./s3_errors.ts";
import { StorageError } from "./storage_error.ts";

/** One step of a check. If a step fails, it is the last one. `ms` is its duration in milliseconds. */
export interface CheckStep {
  name: string;
  ok: boolean;
  message: string;
  ms: number;
}

/** The operations of a bucket that the check tries. */
export interface ProbedBucket {
  readonly doubts: AddressGuesses;
  createUpload(key: string): Promise<string>;
  signPart(key: string, uploadId: string, partNumber: number, expiresSeconds: number): Promise<string>;
  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly { partNumber: number; etag: string }[],
    size: number,
  ): Promise<void>;
  abortUpload(key: string, uploadId: string): Promise<boolean>;
  head(key: string): Promise<number | null>;
  get(key: string): Promise<string>;
  remove(key: string): Promise<{ kept: boolean }>;
}

const TEXT = "Rearguard wrote this to check the destination. It can be deleted.\n";
const PART_TIMEOUT = 30_000;
const URL_SECONDS = 300;

/**
 * Writes a probe object below `directory`, reads it back and deletes it. Stops at the first step that fails.
 * Removes the object in any case. Returns the steps.
 */
export async function probe(
  bucket: ProbedBucket,
  network: Network,
  clock: Clock,
  directory: string,
): Promise<CheckStep[]> {
  const key = objectKey(directory, `.rearguard-check-${crypto.randomUUID()}`);
  const steps: CheckStep[] = [];
  const step = async (name: string, work: () => Promise<string>): Promise<boolean> => {
    const started = clock.monotonic();
    const end = (ok: boolean, message: string) => {
      steps.push({ name, ok, message, ms: Math.round(clock.monotonic() - started) });
      return ok;
    };
    try {
      return end(true, await work());
    } catch (error) {
      if (error instanceof StorageError) return end(false, error.message);
      throw error;
    }
  };

  let uploadId = "";
  const connected = await step("connect", async () => {
    uploadId = await bucket.createUpload(key);
    return "The bucket accepted the start of an upload.";
  });
  if (!connected) return steps;
  const written = await step("write", async () => {
    const etag = await putPart(
      network,
      await bucket.signPart(key, uploadId, 1, URL_SECONDS),
      key,
      bucket.doubts,
    );
    await bucket.completeUpload(key, uploadId, [{ partNumber: 1, etag }], TEXT.length);
    return `Wrote ${key}.`;
  });
  if (!written) {
    await step("clean up", async () => {
      await bucket.abortUpload(key, uploadId);
      return "Aborted the upload.";
    });
    return steps;
  }
  await step("read back", async () => {
    if (await bucket.head(key) !== TEXT.length || await bucket.get(key) !== TEXT) {
      throw new StorageError("Cannot read the probe back: it is not what was written.", "Answer", false);
    }
    return `Read ${TEXT.length} bytes back, as written.`;
  });
  await step("delete", async () => {
    const { kept } = await bucket.remove(key);
    return kept
      ? `Deleted ${key}. The bucket keeps its version: let the access key list and delete versions ` +
        "(s3:ListBucketVersions, s3:DeleteObjectVersion), or a lifecycle rule expire them."
      : `Deleted ${key}.`;
  });
  return steps;
}

async function putPart(
  network: Network,
  url: string,
  key: string,
  doubts: AddressGuesses,
): Promise<string> {
  let response: Response;
  let answer: string;
  try {
    const signal = AbortSignal.timeout(PART_TIMEOUT);
    response = await network.fetch(url, { method: "PUT", body: TEXT, signal });
    answer = await response.text();
  } catch {
    // This error and its cause are not passed on, because their messages contain the signed URL.
    throw new StorageError(`Cannot write ${key}: the connection failed. Try again.`, "Network", true);
  }
  const etag = response.headers.get("etag");
  if (response.ok && etag !== null) return etag;
  throw refusalError(`write ${key}`, readRefusal(response.status, answer, response.headers), doubts);
}
