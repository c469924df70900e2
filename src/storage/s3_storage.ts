/** Opens buckets of Amazon S3, and buckets of other services that offer the same API. */
import type { SecretsOf, SettingsOf } from "../definitions/destinations/definition.ts";
import type { custom_s3 } from "../definitions/destinations/custom_s3.ts";
import type { s3 } from "../definitions/destinations/s3.ts";
import type { Network } from "../network/network.ts";
import { Bucket } from "./s3.ts";

type Secrets = SecretsOf<typeof s3.fields>;

export function openAmazonS3(
  settings: SettingsOf<typeof s3.fields>,
  secrets: Secrets,
  network: Network,
): Bucket {
  return openCustomS3({ ...settings, s3_endpoint: null }, secrets, network);
}

/**
 * Opens a bucket at a service that offers Amazon's API. If `s3_endpoint` is null, opens a bucket at Amazon.
 */
export function openCustomS3(
  settings: Omit<SettingsOf<typeof custom_s3.fields>, "s3_endpoint"> & {
    readonly s3_endpoint: string | null;
  },
  { s3_access_key, s3_secret_key }: Secrets,
  network: Network,
): Bucket {
  return new Bucket({
    endpoint: settings.s3_endpoint,
    region: settings.s3_region ?? null,
    bucket: settings.s3_bucket_name,
    pathStyle: settings.path_style_endpoint,
    accessKey: s3_access_key,
    secretKey: s3_secret_key,
  }, network);
}
