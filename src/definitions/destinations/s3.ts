/** A bucket of Amazon S3. */
import { defineDestination } from "./definition.ts";
import {
  amazonPartition,
  bucketAddress,
  bucketJob,
  S3Destination,
  s3Fields,
  s3Region,
} from "./s3_settings.ts";
import { shellQuote } from "../../domain/shell_quote.ts";

export const s3 = defineDestination({
  label: "Amazon S3",
  reach: "control_plane",
  fields: { ...s3Fields, s3_region: { ...s3Region, isRequired: true } },
  jobShape: S3Destination,
  job: bucketJob,
  base: () => "",
  boundTo: ({ s3_bucket_name, s3_region }) => ({
    s3_bucket_name,
    custom_s3_endpoint: amazonPartition(s3_region),
  }),
  location: ({ s3_bucket_name }) => s3_bucket_name,
  kit: {
    describe: ({ s3_bucket_name, s3_region }, directory) =>
      `Amazon S3, bucket ${s3_bucket_name} (${s3_region})${directory ? `, ${directory}` : ""}`,
    address: bucketAddress,
    environment: ({ s3_region }) => [
      `export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_REGION=${shellQuote(s3_region)}`,
    ],
  },
});
