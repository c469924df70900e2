/** A bucket at a storage service that offers the API of Amazon S3, such as MinIO, R2 or Ceph. */
import { shellQuote } from "../../domain/shell_quote.ts";
import { says } from "../formats/says.ts";
import { text } from "../formats/text.ts";
import { defineDestination } from "./definition.ts";
import {
  amazonPartition,
  bucketAddress,
  bucketJob,
  endpointUrl,
  S3Destination,
  s3Fields,
  s3Region,
} from "./s3_settings.ts";

export const custom_s3 = defineDestination({
  label: "Custom S3",
  reach: "control_plane",
  fields: {
    ...s3Fields,
    s3_region: s3Region,
    s3_endpoint: {
      schema: text(2000).refine(isEndpoint, {
        error: says("must be a host or an http or https URL without user, query or fragment"),
      }),
      help: "the host or URL of the service",
      description: "Needed when `type` is `custom_s3`.",
      placeholder: "url",
      example: "https://s3.example.com",
      sentAs: ["custom_s3_endpoint"],
      isRequired: true,
      isSearched: true,
    },
  },
  jobShape: S3Destination,
  job: bucketJob,
  base: () => "",
  boundTo: ({ s3_bucket_name, s3_endpoint }) => ({
    s3_bucket_name,
    custom_s3_endpoint: serviceAt(endpointUrl(s3_endpoint)),
  }),
  endpoint: ({ s3_endpoint }) => ({ field: "s3_endpoint", url: endpointUrl(s3_endpoint) }),
  location: ({ s3_bucket_name }) => s3_bucket_name,
  kit: {
    describe: ({ s3_endpoint, s3_bucket_name }, directory) =>
      `${s3_endpoint}, bucket ${s3_bucket_name}${directory ? `, ${directory}` : ""}`,
    address: bucketAddress,
    environment: ({ s3_endpoint }) => [
      `export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_ENDPOINT_URL=${shellQuote(s3_endpoint)}`,
    ],
  },
});

/** Returns whether the text is an http or https URL, or a host, which is reached over https. */
function isEndpoint(value: string): boolean {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `https://${value}`);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return false;
  return url.username === "" && url.password === "" && url.search === "" && url.hash === "";
}

/**
 * Returns the name of the service at a URL. For Amazon, this is the partition. For any other service, it is
 * the host with its port and path. The name is needed because bucket names are unique only within a service.
 */
function serviceAt(url: URL): string {
  const amazon = /^s3[.-](?:dualstack\.)?(?:([a-z0-9-]+)\.)?amazonaws\.com(?:\.cn)?$/.exec(url.hostname);
  if (amazon !== null) return amazonPartition(amazon[1] ?? "");
  return url.host + url.pathname.replace(/\/+$/, "");
}
