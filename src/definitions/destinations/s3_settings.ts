/** Settings that Amazon S3 and services with the same API share. */
import * as z from "zod";
import { says } from "../formats/says.ts";
import { secret, text } from "../formats/text.ts";
import { priceFields } from "./price.ts";

/**
 * The description of a bucket in a job. The agent gets no access keys. It requests presigned URLs over the
 * websocket (`upload.*`).
 */
export const S3Destination = z.object({
  type: z.literal("s3"),
  bucket: z.string(),
  /** Key prefix without a leading or trailing slash; empty for no prefix. */
  directory: z.string(),
});
export type S3Destination = z.infer<typeof S3Destination>;

const accessKey = () =>
  secret(256).refine((value) => /^[\x21-\x7e]+$/.test(value), {
    error: says("must be one word without white space"),
  });

export const s3Fields = {
  s3_access_key: {
    schema: accessKey(),
    help: "the id of an access key",
    isSecret: true,
    isRequired: true,
  },
  s3_secret_key: {
    schema: accessKey(),
    help: "the secret half of the access key",
    isSecret: true,
    isRequired: true,
  },
  s3_bucket_name: {
    schema: text(255).refine((value) => /^[A-Za-z0-9][A-Za-z0-9._-]{2,}$/.test(value), {
      error: says("must be the name of a bucket"),
    }),
    help: "the name of an existing bucket",
    isRequired: true,
    isSearched: true,
  },
  path_style_endpoint: {
    schema: z.boolean(),
    help:
      "whether the bucket is part of the path instead of the host name; most self-hosted services need this",
    default: false,
  },
  ...priceFields,
} as const;

export const s3Region = {
  schema: text(64).refine((value) => /^[A-Za-z0-9-]+$/.test(value), {
    error: says("must be the name of a region, such as eu-central-1"),
  }),
  help: "the region of the bucket",
  description: "Needed when `type` is `s3`.",
  example: "eu-central-1",
  sentAs: ["s3_region", "custom_s3_region"],
} as const;

/**
 * Returns the URL of an endpoint. Adds https if the endpoint has no scheme. Throws a `TypeError` if the
 * result is not a URL.
 */
export function endpointUrl(endpoint: string): URL {
  const url = new URL(/^https?:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`);
  url.search = "";
  url.hash = "";
  return url;
}

/** Returns the Amazon partition of a region. Bucket names are unique within a partition. */
export function amazonPartition(region: string): string {
  return `amazonaws.com ${/^(cn|us-gov|us-iso[a-z]?)-/.exec(region)?.[1] ?? ""}`.trim();
}

/** Returns a bucket as the agent gets it in a job, without access keys. */
export function bucketJob(
  { s3_bucket_name }: { s3_bucket_name: string },
  _secrets: unknown,
  directory: string,
): S3Destination {
  return { type: "s3", bucket: s3_bucket_name, directory };
}

/** Returns the address of a directory in a bucket, in the form of `recover --from`. */
export function bucketAddress({ s3_bucket_name }: { s3_bucket_name: string }, directory: string): string {
  return `s3://${s3_bucket_name}/${directory}`;
}
