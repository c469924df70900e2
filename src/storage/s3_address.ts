/** The address of a bucket: its region, and the URLs of the bucket and its keys. */
import { endpointUrl } from "../definitions/destinations/s3_settings.ts";

export interface BucketOptions {
  /** Address of the service, by default with https; null for Amazon's own endpoint. */
  readonly endpoint: string | null;
  /**
   * Name of the region. If null, the region is taken from the host name of a known service. For an unknown
   * service, it is `us-east-1`.
   */
  readonly region: string | null;
  readonly bucket: string;
  readonly pathStyle: boolean;
  readonly accessKey: string;
  readonly secretKey: string;
}

const DEFAULT_REGION = "us-east-1";

/**
 * Patterns of the host names of known services, each with its region. If the region is null, the pattern's
 * first group is the region.
 */
const REGIONS: readonly (readonly [host: RegExp, region: string | null])[] = [
  [/^s3[.-](?:dualstack\.|fips[.-])?([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?$/, null],
  [/\.r2\.cloudflarestorage\.com$/, "auto"],
  [/^storage\.googleapis\.com$/, "auto"],
  [/^storage\.yandexcloud\.net$/, "ru-central1"],
  [/^s3\.([a-z0-9-]+)\.(?:backblazeb2\.com|wasabisys\.com|scw\.cloud|ionoscloud\.com)$/, null],
  [/^s3\.([a-z0-9-]+)\.(?:io|perf)\.cloud\.ovh\.(?:net|us)$/, null],
  [/^sos-([a-z0-9-]+)\.exo\.io$/, null],
  // The host names of DigitalOcean, Linode, Hetzner and Vultr.
  [
    /^([a-z]{2,}(?:-[a-z]+)*-?\d+)\.(?:digitaloceanspaces|linodeobjects|your-objectstorage|vultrobjects)\.com$/,
    null,
  ],
  [/^oss-([a-z]{2}-[a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com$/, null],
  [/\.compat\.objectstorage\.([a-z0-9-]+)\.oraclecloud\.com$/, null],
];

export function regionOf(options: Pick<BucketOptions, "endpoint" | "region">): string {
  return knownRegion(options) ?? DEFAULT_REGION;
}

/** Returns the configured region, or the region in the endpoint's host name; null if neither exists. */
function knownRegion({ endpoint, region }: Pick<BucketOptions, "endpoint" | "region">): string | null {
  if (region !== null && region !== "") return region;
  const host = endpoint === null ? "" : endpointUrl(endpoint).hostname;
  for (const [pattern, only] of REGIONS) {
    const match = pattern.exec(host);
    if (match !== null) return only ?? match[1]!;
  }
  return null;
}

/**
 * Returns the bucket's URL, which ends with a slash. In host style, the host name contains the bucket's name.
 * In path style, the path contains it. Path style is used in these cases:
 * - `pathStyle` is set.
 * - The host is an IP address.
 * - The bucket's name is not a DNS label.
 * - The endpoint uses TLS and the name contains dots: a wildcard certificate would not cover the host name.
 */
export function bucketUrl(options: Pick<BucketOptions, "endpoint" | "region" | "bucket" | "pathStyle">): URL {
  const { endpoint, bucket } = options;
  const url = endpoint === null ? amazonUrl(regionOf(options)) : endpointUrl(endpoint);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  if (isInHostName(url, options)) url.hostname = `${bucket}.${url.hostname}`;
  else url.pathname += `${encodeSegment(bucket)}/`;
  return url;
}

function isInHostName(url: URL, { bucket, pathStyle }: Pick<BucketOptions, "bucket" | "pathStyle">): boolean {
  const isLabel = /^[a-z0-9][a-z0-9.-]*[a-z0-9]$/.test(bucket);
  const isCovered = url.protocol === "http:" || !bucket.includes(".");
  const isAddress = /^[\d.]+$|^\[/.test(url.hostname) || url.hostname === "localhost";
  return !pathStyle && isLabel && isCovered && !isAddress;
}

/** Assumptions about an address. They might be wrong, so messages name them and say what to change. */
export interface AddressGuesses {
  /** The default region, which is used if the region is not known; null if the region is known. */
  readonly guessedRegion: string | null;
  /**
   * True if the endpoint is not Amazon's and the URL has the bucket in its host name. Such a URL might be
   * wrong, because self-hosted services often expect the bucket in the path.
   */
  readonly isHostStyle: boolean;
}

export function addressGuesses(options: BucketOptions): AddressGuesses {
  const url = options.endpoint === null ? null : endpointUrl(options.endpoint);
  return {
    guessedRegion: knownRegion(options) === null ? DEFAULT_REGION : null,
    isHostStyle: url !== null && !url.hostname.endsWith(".amazonaws.com") && isInHostName(url, options),
  };
}

/**
 * Returns the URL of a key. Percent-encodes every byte except `/` and the unreserved characters of RFC 3986.
 * The signature of the request encodes the key in the same way.
 */
export function objectUrl(base: URL, key: string): URL {
  const segments = key.split("/");
  if (key === "" || key.startsWith("/") || segments.some((segment) => segment === "." || segment === "..")) {
    throw new TypeError(`Cannot address the key ${JSON.stringify(key)}: a URL can't carry it`);
  }
  return new URL(base.href + segments.map(encodeSegment).join("/"));
}

function amazonUrl(region: string): URL {
  return new URL(`https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}/`);
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
