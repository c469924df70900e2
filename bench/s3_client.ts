/**
 * Uploads a file to a bucket with the agent's S3 destination. Prints the elapsed seconds.
 *
 *     deno run -A bench/s3_client.ts ENDPOINT FILE
 */
import { S3Destination } from "../agent/engine/destinations/s3/s3.ts";
import type { Uploads } from "../agent/engine/ports.ts";
import { systemClock } from "../src/domain/clock.ts";
import { AddressPolicy } from "../src/network/address_policy.ts";
import { Network } from "../src/network/network.ts";
import { Bucket } from "../src/storage/s3.ts";

const PART_SIZE = 16 * 1024 * 1024;
const [endpoint, path] = Deno.args as [string, string];
const options = {
  endpoint,
  region: "us-east-1",
  bucket: "bench",
  pathStyle: true,
  accessKey: "bench",
  secretKey: "bench-secret",
};
const bucket = new Bucket(options, new Network(AddressPolicy.everything));
const key = "archive";
const uploads: Uploads = {
  open: async () => ({ uploadId: await bucket.createUpload(key), partSize: PART_SIZE }),
  async sign(uploadId, from, count) {
    const numbers = Array.from({ length: count }, (_, i) => from + i);
    const sign = async (partNumber: number) => ({
      partNumber,
      url: await bucket.signPart(key, uploadId, partNumber, 3600),
    });
    return { urls: await Promise.all(numbers.map(sign)), expiresInMs: 3_600_000 };
  },
  async complete(uploadId, size, parts) {
    await bucket.completeUpload(key, uploadId, parts, size);
    return { size: (await bucket.head(key))! };
  },
  abort: (uploadId) => bucket.abortUpload(key, uploadId).then(() => {}),
};
const spec = { type: "s3" as const, bucket: "bench", directory: "" };
const destination = new S3Destination(spec, {
  clock: systemClock,
  signal: new AbortController().signal,
  output: { line() {} },
  uploads,
  downloads: null,
  relay: null,
});
const start = performance.now();
const writer = await destination.create(key, null);
using file = await Deno.open(path);
const buffer = new Uint8Array(1024 * 1024);
for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
  await writer.write(buffer.subarray(0, read));
}
await writer.commit();
Deno.stdout.writeSync(new TextEncoder().encode(`${(performance.now() - start) / 1000}\n`));
Deno.exit(0);
