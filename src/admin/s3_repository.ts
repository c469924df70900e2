/** A bucket, as a repository for `recover`. */
import { AddressPolicy } from "../network/address_policy.ts";
import { Network } from "../network/network.ts";
import { Bucket } from "../storage/s3.ts";
import type { BackupRepository } from "./backup_repository.ts";
import { RecoveryError } from "./recovery_error.ts";

/** Scheme of the addresses of buckets. */
export const BUCKET_SCHEME = "s3";

/**
 * Opens a bucket as a repository.
 *
 * @param text `s3://BUCKET[/PREFIX]`.
 * @param environment `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`; `AWS_REGION`; `AWS_ENDPOINT_URL` for a
 *   bucket that is not at Amazon.
 */
export function openS3Repository(text: string, environment: Record<string, string>): BackupRepository {
  const [, bucket = "", path = ""] = /^[^:]+:\/\/([^/]+)\/?(.*)$/.exec(text) ?? [];
  const prefix = path.replace(/\/+$/, "");
  const required = (name: string) => {
    if (environment[name]) return environment[name];
    throw new RecoveryError(`Cannot open the bucket ${bucket}: set ${name} in the environment`);
  };
  const accessKey = required("AWS_ACCESS_KEY_ID");
  const secretKey = required("AWS_SECRET_ACCESS_KEY");
  const endpoint = environment.AWS_ENDPOINT_URL || null;
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || null;
  const options = { endpoint, region, bucket, pathStyle: endpoint !== null, accessKey, secretKey };
  // Every address is allowed, because an operator chose it. Only addresses from users of the API are
  // restricted.
  const network = new Network(AddressPolicy.everything);
  const storage = new Bucket(options, network);
  const key = (path: string) => [prefix, path].filter((part) => part !== "").join("/");
  return {
    description: `bucket ${bucket}${prefix === "" ? "" : ` below ${prefix}`}`,
    destination: {
      label: "Recovered",
      type: endpoint === null ? "s3" : "custom_s3",
      values: {
        s3_access_key: accessKey,
        s3_secret_key: secretKey,
        s3_bucket_name: bucket,
        s3_region: region ?? (endpoint === null ? "us-east-1" : null),
        s3_endpoint: endpoint,
        path_style_endpoint: endpoint !== null,
      },
    },
    async *paths() {
      for await (const found of storage.list(prefix === "" ? "" : `${prefix}/`)) {
        yield prefix === "" ? found.key : found.key.slice(prefix.length + 1);
      }
    },
    async read(path) {
      const response = await network.fetch(await storage.signGet(key(path), 3600));
      if (response.ok) return response.body!;
      await response.body?.cancel();
      throw new RecoveryError(`Cannot read ${key(path)}: the bucket answers ${response.status}`);
    },
    directory: key,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
