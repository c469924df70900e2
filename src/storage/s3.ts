/**
 * Accesses S3 buckets for the control plane: signs URLs, completes uploads, lists and deletes objects, and
 * checks buckets.
 */
import type { Clock } from "../domain/clock.ts";
import { systemClock } from "../domain/clock.ts";
import type { Network } from "../network/network.ts";
import { type CheckStep, probe } from "./probe.ts";
import type { BucketOptions } from "./s3_address.ts";
import { listObjects, listUploads, type OpenUpload, type StoredKey } from "./s3_lists.ts";
import { isRefused, S3Requests } from "./s3_request.ts";
import { ObjectVersions } from "./s3_versions.ts";
import { StorageError } from "./storage_error.ts";
import { escapeXml } from "./xml.ts";

export type { BucketOptions } from "./s3_address.ts";
export type { OpenUpload, StoredKey } from "./s3_lists.ts";
export { StorageError };

/**
 * Time limits for the response to the completion of an upload, in milliseconds. `COMPLETE_IDLE` limits one
 * pause, and `COMPLETE_TIMEOUT` limits the whole response. Amazon sometimes takes minutes to complete a large
 * upload, and sends white space meanwhile.
 */
const COMPLETE_IDLE = 10 * 60_000;
const COMPLETE_TIMEOUT = 60 * 60_000;

export interface StoredObjectStat {
  readonly size: number;
  /** ETag without quotes; null if the service sends none. */
  readonly etag: string | null;
}
export interface Removed {
  readonly wasThere: boolean;
  readonly kept: boolean;
}
export interface UploadedPart {
  readonly partNumber: number;
  readonly etag: string;
}
/** A bucket. Every method has a time limit, and rejects with a `StorageError`. */
export class Bucket {
  readonly #requests: S3Requests;

  constructor(
    options: BucketOptions,
    private readonly network: Network,
    private readonly clock: Clock = systemClock,
  ) {
    this.#requests = new S3Requests(options, network, clock);
  }

  /**
   * Starts a multipart upload and returns its id. If the response is lost, the upload might exist although
   * nobody knows its id. {@link listUploads} then finds the upload.
   */
  async createUpload(key: string): Promise<string> {
    const request = {
      action: `start an upload of ${key}`,
      method: "POST",
      key,
      query: { uploads: "" },
      repeatable: false,
    } as const;
    const answer = await this.#requests.document(request, "InitiateMultipartUploadResult");
    return this.#requests.required(request.action, answer, "UploadId");
  }

  /** Returns a URL to which one part can be sent by PUT. The URL is a credential until it expires. */
  signPart(key: string, uploadId: string, partNumber: number, expiresSeconds: number): Promise<string> {
    const query = { partNumber: String(partNumber), uploadId };
    return this.#requests.sign("PUT", key, query, expiresSeconds);
  }

  /** Returns a URL to read an object by GET, also in ranges. The URL is a credential until it expires. */
  signGet(key: string, expiresSeconds: number): Promise<string> {
    return this.#requests.sign("GET", key, {}, expiresSeconds);
  }

  /**
   * Completes an upload: joins the parts, in ascending order, to an object of `size` bytes. Rejects with the
   * code `NoSuchUpload` if the upload was aborted.
   *
   * If the request fails, looks for an object with this size and these parts. If there is one, treats the
   * upload as completed. This conclusion is certain only if the key had no object before the upload.
   */
  async completeUpload(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    size: number,
  ): Promise<void> {
    try {
      await this.#complete(key, uploadId, parts);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      const stored = await this.stat(key).catch((failure) => {
        // If the look-up fails too, report the error of the completion, because that error explains more.
        if (failure instanceof StorageError) return null;
        throw failure;
      });
      if (stored === null || stored.size !== size || !fitsParts(stored.etag, parts)) {
        throw error.code === "Answer"
          ? new StorageError(error.message, error.code, true, { cause: error })
          : error;
      }
    }
  }

  async #complete(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<void> {
    const list = parts.map(({ partNumber, etag }) =>
      `<Part><PartNumber>${partNumber}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`
    );
    // The service sends the status before it does the work, so a failure is an error document with status
    // 200.
    await this.#requests.document({
      action: `complete the upload of ${key}`,
      method: "POST",
      key,
      query: { uploadId },
      body: `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${
        list.join("")
      }</CompleteMultipartUpload>`,
      idleMs: COMPLETE_IDLE,
      timeoutMs: COMPLETE_TIMEOUT,
      // Do not repeat this request after a lost response: the upload might be complete. The caller first
      // looks for the object.
      repeatable: false,
    }, "CompleteMultipartUploadResult");
  }

  /** Aborts an upload. Returns false if the upload did not exist. */
  async abortUpload(key: string, uploadId: string): Promise<boolean> {
    try {
      await this.#requests.send({
        action: `abort the upload of ${key}`,
        method: "DELETE",
        key,
        query: { uploadId },
      });
      return true;
    } catch (error) {
      if (isRefused(error, "NoSuchUpload")) return false;
      throw error;
    }
  }

  /** Stores a small object in one request. */
  async put(key: string, text: string): Promise<void> {
    await this.#requests.send({ action: `store ${key}`, method: "PUT", key, body: text });
  }

  /** Returns the text of a small object. */
  async get(key: string): Promise<string> {
    return (await this.#requests.send({ action: `read ${key}`, method: "GET", key })).text;
  }

  /** Returns an object's size in bytes; null if the service itself reports that the object does not exist. */
  async head(key: string): Promise<number | null> {
    return (await this.stat(key))?.size ?? null;
  }

  /** Returns an object's size and ETag; null if the service itself reports that the object does not exist. */
  async stat(key: string): Promise<StoredObjectStat | null> {
    const action = `look up ${key}`;
    try {
      const { headers } = await this.#requests.send({ action, method: "HEAD", key });
      const size = headers.get("content-length");
      if (size === null || !/^\d+$/.test(size)) throw this.#requests.malformed(action);
      const etag = headers.get("etag")?.replace(/^(?:W\/)?"?|"$/g, "") ?? null;
      return { size: Number(size), etag };
    } catch (error) {
      if (isRefused(error, "NotFound", "NoSuchKey")) return await this.#proveMissing(key);
      if (error instanceof StorageError && !error.retryable) await this.#askWhy(action);
      throw error;
    }
  }

  /**
   * Sends a GET for an object whose HEAD got a 404. Returns null if the service answers the GET with
   * `NoSuchKey`. Rejects after any other response.
   *
   * The 404 alone does not prove that the object is missing: a proxy might have sent it, or the bucket might
   * be missing. A response to a HEAD has no body, so it cannot name the reason.
   */
  async #proveMissing(key: string): Promise<null> {
    const action = `look up ${key}`;
    try {
      await this.#requests.send({ action, method: "GET", key, headers: { range: "bytes=0-0" } });
    } catch (error) {
      if (isRefused(error, "NoSuchKey")) return null;
      throw error;
    }
    throw new StorageError(
      `Cannot ${action}: the bucket reports both that it exists and that it does not. Try again.`,
      "Answer",
      true,
    );
  }

  /**
   * Finds out why a HEAD was refused. The response to a HEAD has no body, so a wrong key would look like a
   * missing permission. Sends a GET, and rejects with the reason in the response to the GET.
   */
  async #askWhy(action: string): Promise<void> {
    await this.#requests.send({
      action,
      method: "GET",
      key: null,
      query: { "list-type": "2", "max-keys": "1" },
    });
  }

  /**
   * Deletes an object and, if the bucket allows it, the object's older versions. Checks that the object is
   * gone. `kept` is true if the bucket still stores older versions.
   */
  async remove(key: string): Promise<Removed> {
    if (await this.head(key) === null) return { wasThere: false, kept: false };
    const versions = new ObjectVersions(this.#requests, key);
    const kept = !(await versions.remove()) && await this.#hide(key);
    if (await this.head(key) !== null) {
      throw new StorageError(
        `Cannot delete ${key}: the bucket accepted the deletion, but still has the object`,
        "StillThere",
        true,
      );
    }
    return { wasThere: true, kept };
  }

  /** Deletes the current version of an object. Returns whether the bucket keeps it as an older version. */
  async #hide(key: string): Promise<boolean> {
    try {
      const { headers } = await this.#requests.send({ action: `delete ${key}`, method: "DELETE", key });
      // If the marker's id is `null`, the bucket's versioning is suspended, and the marker has replaced the
      // object.
      return headers.get("x-amz-delete-marker") === "true" && headers.get("x-amz-version-id") !== "null";
    } catch (error) {
      if (!isRefused(error, "NoSuchKey")) throw error;
      return false;
    }
  }

  /**
   * Lists all objects whose keys start with `prefix`, in the service's order. Each request returns up to
   * 1,000.
   */
  list(prefix: string): AsyncGenerator<StoredKey> {
    return listObjects(this.#requests, prefix);
  }

  /** Lists all open multipart uploads whose keys start with `prefix`. */
  listUploads(prefix: string): AsyncGenerator<OpenUpload> {
    return listUploads(this.#requests, prefix);
  }

  /** The parts of the bucket's address that might be wrong. Error messages mention them. */
  get doubts() {
    return this.#requests.doubts;
  }

  /**
   * Writes a probe object below `directory`, reads it back and deletes it. Writes with a presigned URL, as a
   * backup does. Returns the steps.
   */
  check(directory = ""): Promise<CheckStep[]> {
    return probe(this, this.network, this.clock, directory);
  }
}

/**
 * Returns whether an object with this ETag might consist of these parts. The ETag of an object that was
 * uploaded in parts ends with the number of parts.
 */
function fitsParts(etag: string | null, parts: readonly UploadedPart[]): boolean {
  const count = /-(\d{1,5})$/.exec(etag ?? "")?.[1];
  return count === undefined || Number(count) === parts.length;
}
