/** Where a bucket answers: its region, and the URL of the bucket and of each key. */

export interface BucketOptions {
  /** Null for Amazon's own. Without a scheme: https. */
  readonly endpoint: string | null;
  /** Null: `auto` for Cloudflare R2, `us-east-1` elsewhere. */
  readonly region: string | null;
  readonly bucket: string;
  readonly pathStyle: boolean;
  readonly accessKey: string;
  readonly secretKey: string;
}

export function regionOf({ endpoint, region }: Pick<BucketOptions, "endpoint" | "region">): string {
  if (region !== null && region !== "") return region;
  const host = endpoint === null ? "" : endpointUrl(endpoint).hostname;
  return host.endsWith(".r2.cloudflarestorage.com") ? "auto" : "us-east-1";
}

/**
 * The bucket's URL, ending in a slash. Path style also where a host name can't carry the bucket: an IP address, a
 * name that is no DNS label, or, over TLS, one with dots, which a wildcard certificate does not cover.
 */
export function bucketUrl(options: Pick<BucketOptions, "endpoint" | "region" | "bucket" | "pathStyle">): URL {
  const { endpoint, bucket, pathStyle } = options;
  const url = endpoint === null ? amazonUrl(regionOf(options)) : endpointUrl(endpoint);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  const isLabel = /^[a-z0-9][a-z0-9.-]*[a-z0-9]$/.test(bucket);
  const isCovered = url.protocol === "http:" || !bucket.includes(".");
  const isAddress = /^[\d.]+$|^\[/.test(url.hostname) || url.hostname === "localhost";
  if (pathStyle || !isLabel || !isCovered || isAddress) url.pathname += `${encodeSegment(bucket)}/`;
  else url.hostname = `${bucket}.${url.hostname}`;
  return url;
}

/** The URL of a key: every byte but RFC 3986's unreserved ones and `/` percent-encoded, as the signature sees it. */
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

/** Throws a `TypeError` for what is none. */
export function endpointUrl(endpoint: string): URL {
  const url = new URL(/^https?:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`);
  url.search = "";
  url.hash = "";
  return url;
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
