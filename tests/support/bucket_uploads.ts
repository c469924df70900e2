/** The control plane's half of uploads and downloads straight at a bucket, for tests of the agent's half alone. */
import { type Downloads, RunFailedError, type Uploads } from "../../agent/engine/ports.ts";
import { Bucket, type BucketOptions } from "../../src/storage/s3.ts";
import { loopback } from "./loopback.ts";

export class BucketUploads implements Uploads {
  readonly bucket: Bucket;
  /** Bytes in a part; S3 itself takes none below 5 MiB. */
  partSize = 5 * 2 ** 20;
  expiresInMs = 3_600_000;
  /** Key by the id told to the agent, which is the bucket's own. */
  readonly #keys = new Map<string, string>();

  constructor(options: BucketOptions, private readonly prefix: string) {
    this.bucket = new Bucket(options, loopback);
  }

  get downloads(): Downloads {
    return {
      sign: async (name) => ({
        url: await this.bucket.signGet(this.#key(name), Math.ceil(this.expiresInMs / 1000)),
        expiresInMs: this.expiresInMs,
      }),
    };
  }

  async open(name: string) {
    const key = this.#key(name);
    if (await this.bucket.head(key) !== null) {
      throw new RunFailedError(`Cannot upload ${key}: it already exists. Run the task again.`);
    }
    const uploadId = await this.bucket.createUpload(key);
    this.#keys.set(uploadId, key);
    return { uploadId, partSize: this.partSize };
  }

  async sign(uploadId: string, from: number, count: number) {
    const key = this.#keys.get(uploadId)!;
    const numbers = Array.from({ length: count }, (_, index) => from + index);
    const urls = await Promise.all(numbers.map(async (partNumber) => {
      const seconds = Math.ceil(this.expiresInMs / 1000);
      return { partNumber, url: await this.bucket.signPart(key, uploadId, partNumber, seconds) };
    }));
    return { urls, expiresInMs: this.expiresInMs };
  }

  async complete(uploadId: string, size: number, parts: { partNumber: number; etag: string }[]) {
    const key = this.#keys.get(uploadId)!;
    if (size === 0) {
      await this.bucket.put(key, "");
      await this.bucket.abortUpload(key, uploadId);
    } else {
      await this.bucket.completeUpload(key, uploadId, parts, size);
    }
    return { size: (await this.bucket.head(key))! };
  }

  async abort(uploadId: string): Promise<void> {
    const key = this.#keys.get(uploadId)!;
    await this.bucket.abortUpload(key, uploadId);
    await this.bucket.remove(key);
  }

  #key(name: string): string {
    return this.prefix === "" ? name : `${this.prefix}/${name}`;
  }
}
