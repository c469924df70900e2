/** Explains errors of buckets, and names the setting to change. */
import { tlsReason } from "../domain/tls_fault.ts";
import { AddressRefusedError } from "../network/network.ts";
import type { AddressGuesses } from "./s3_address.ts";
import { StorageError } from "./storage_error.ts";
import { parseXml, textOf } from "./xml.ts";

/** A refusal as the service reports it. If the response has no body, `code` is derived from the status. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** The bucket's actual region; null if the service does not name it. */
  readonly region: string | null;
  /** Scheme and host of the address that the response redirects to; null if there is none. */
  readonly redirect: string | null;
  /** Whether the request was refused because it did not use TLS and the port requires TLS. */
  readonly wantsTls: boolean;
}

const CODES_BY_STATUS: Record<number, string> = {
  301: "PermanentRedirect",
  307: "TemporaryRedirect",
  401: "AccessDenied",
  403: "AccessDenied",
  404: "NotFound",
  429: "SlowDown",
  500: "InternalError",
  503: "ServiceUnavailable",
};

/**
 * Reads the refusal from an error document. If the response has no body, such as the response to a HEAD,
 * derives the error code from the status. If the body is a page of another program, such as a proxy, the code
 * is {@link NOT_S3}.
 */
export function readRefusal(status: number, body: string, headers: Headers): Refusal {
  const region = headers.get("x-amz-bucket-region");
  const isPage = body.trim() !== "" && status < 500 && status !== 429;
  const redirect = redirectOf(status, headers);
  const code = isPage || redirect !== null && body === ""
    ? NOT_S3
    : CODES_BY_STATUS[status] ?? `HTTP ${status}`;
  const wantsTls = status === 400 &&
    /\bHTTPS (?:server|port)\b|combination of host and port requires TLS/i.test(body);
  const fallback = { status, code, message: "", region, redirect, wantsTls };
  if (!body.includes("<Error")) return fallback;
  try {
    const error = parseXml(body.replace(/^\uFEFF?\s+/, ""));
    if (error.name !== "Error") return fallback;
    return {
      ...fallback,
      code: textOf(error, "Code")?.trim() || fallback.code,
      message: oneLine(textOf(error, "Message") ?? ""),
      region: region ?? textOf(error, "Region") ?? amazonRegionIn(textOf(error, "Endpoint")),
    };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Some services write keys with HTML entities. The document is then not valid XML.
    const code = /^\s*(?:<\?xml[^>]*>\s*)?<Error[\s>][^]*<Code>(\w{1,100})<\/Code>/.exec(body)?.[1];
    return code === undefined ? fallback : { ...fallback, code };
  }
}

/**
 * Returns the scheme and host to which a response redirects. Returns null if the response is no redirect, or
 * if it comes from S3 itself. Leaves out the path and query of the address, because they might contain a
 * credential.
 */
function redirectOf(status: number, headers: Headers): string | null {
  // A redirect with one of these headers comes from S3 itself, and names a region.
  const isForeign = status >= 300 && status < 400 &&
    ["x-amz-bucket-region", "x-amz-request-id"].every((name) => !headers.has(name));
  const target = isForeign ? URL.parse(headers.get("location") ?? "") : null;
  return target?.protocol === "https:" || target?.protocol === "http:" ? target.origin : null;
}

/** Returns the region in the host name of one of Amazon's endpoints; null for another host. */
function amazonRegionIn(endpoint: string | null): string | null {
  return /(?:^|\.)s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com/.exec(endpoint ?? "")
    ?.[1] ?? null;
}

/** Error code for a response that comes from a program in front of the service. */
const NOT_S3 = "NotS3";

const RETRYABLE_CODES = new Set([
  NOT_S3,
  "SlowDown",
  "RequestTimeout",
  "InternalError",
  "ServiceUnavailable",
  "BadDigest",
]);

function isRetryable({ status, code }: Refusal): boolean {
  return status >= 500 && status !== 501 || status === 408 || status === 429 || RETRYABLE_CODES.has(code);
}

const NO_GUESSES: AddressGuesses = { guessedRegion: null, isHostStyle: false };

/**
 * Returns the error for an operation that the service refused.
 *
 * @param action The operation, such as `open an upload in bucket photos at s3.eu-west-1.amazonaws.com`.
 */
export function refusalError(action: string, refusal: Refusal, doubts = NO_GUESSES): StorageError {
  const text = `Cannot ${action}: ${explanation(refusal, doubts)}`;
  return new StorageError(text, isLocked(refusal) ? LOCKED : refusal.code, isRetryable(refusal));
}

/** Error code for an object that can't be deleted because a lock of the bucket protects it. */
const LOCKED = "ObjectLocked";

function isLocked({ code, message }: Refusal): boolean {
  if (code === LOCKED) return true;
  const isRefusal = ["AccessDenied", "InvalidRequest", "MethodNotAllowed", "OperationAborted"].includes(code);
  return isRefusal &&
    /protected by object lock|object is locked|\bworm\b|legal.?hold|retention|immutab/i.test(message);
}

function explanation(refusal: Refusal, doubts: AddressGuesses): string {
  const { status, code, message } = refusal;
  // Services report a wrong region in different ways, and name the right region in different places.
  const region = refusal.region ?? /\bexpect(?:ing|ed) '([a-z0-9-]{2,40})'/.exec(message)?.[1] ?? null;
  const said = message === "" || /^access denied\.?$/i.test(message) ? "" : `: ${message.replace(/\.$/, "")}`;
  const pathStyle = doubts.isHostStyle
    ? " Or set path_style_endpoint, which most self-hosted services need."
    : "";
  if (isLocked(refusal)) {
    return `the bucket keeps the object (${code}${said}). Wait until its object lock or retention rule ends.`;
  }
  switch (code) {
    case "InvalidAccessKeyId":
      return "the service does not know the access key (InvalidAccessKeyId). Check the destination's access key and endpoint.";
    case "SignatureDoesNotMatch":
      return doubts.guessedRegion === null
        ? "the secret key does not belong to the access key (SignatureDoesNotMatch). Check the destination's secret " +
          `key.${pathStyle}`
        : "the secret key does not belong to the access key, or the region is another: none is set, so " +
          `${doubts.guessedRegion} was used (SignatureDoesNotMatch). Check the destination's secret key, and set its ` +
          `region.${pathStyle}`;
    case "NoSuchBucket":
      return "the bucket does not exist (NoSuchBucket). Create it, or check the destination's bucket name and " +
        `region.${pathStyle}`;
    case "AccessDenied":
    case "AllAccessDisabled":
      return `the access key may not do this (${code}${said}). Allow it to put, get, delete and list objects and ` +
        `multipart uploads there.${pathStyle}`;
    case "MethodNotAllowed":
      return `the service does not support this request (MethodNotAllowed${said}). Check the destination's endpoint.${pathStyle}`;
    case "QuotaExceeded":
      return "its quota is exhausted (QuotaExceeded). Raise it, or keep fewer backups.";
    case NOT_S3:
      if (refusal.redirect !== null) {
        return `it redirects to ${refusal.redirect} (HTTP ${status}), which is not followed. Set the destination's ` +
          `endpoint to the service's own address.${pathStyle}`;
      }
      if (refusal.wantsTls) {
        return "that port takes TLS only (HTTP 400). Begin the destination's endpoint with https://.";
      }
      return `another program than an S3 service responded (HTTP ${status}), such as a proxy. Check the ` +
        `destination's endpoint and the proxies in front of it.${pathStyle}`;
    case "NotFound":
      return "it responds with HTTP 404 without saying what is missing, so nothing counts as deleted. Check the " +
        "destination's endpoint and bucket.";
    case "RequestTimeTooSkewed":
      return "this machine's clock is wrong by more than the service tolerates (RequestTimeTooSkewed). Set the clock.";
    case "PermanentRedirect":
    case "TemporaryRedirect":
    case "AuthorizationHeaderMalformed":
    case "IllegalLocationConstraintException":
    case "AuthorizationQueryParametersError":
    case "InvalidRegion":
      return region === null
        ? `the bucket is in another region or at another address (${code}${said}). Check the destination's region.`
        : `the bucket is in region ${region} (${code}). Set the destination's region to it.`;
    case "SlowDown":
    case "ServiceUnavailable":
    case "InternalError":
      return `the service is not able to do it now (${code}). Try again later.`;
    default:
      return message === "" ? `the service refused it (${code}).` : `${message} (${code})`;
  }
}

/** Returns the error for a request that got no response from `host`. */
export function unreachableError(
  action: string,
  host: string,
  cause: unknown,
  doubts = NO_GUESSES,
): StorageError {
  if (cause instanceof AddressRefusedError) {
    return new StorageError(`Cannot ${action}: ${cause.message}.`, "AddressRefused", false, { cause });
  }
  if (cause instanceof DOMException && cause.name === "TimeoutError") {
    return new StorageError(`Cannot ${action}: ${host} did not answer in time. Try again.`, "Timeout", true, {
      cause,
    });
  }
  return new StorageError(`Cannot ${action}: ${networkFault(host, cause, doubts)}`, "Network", true, {
    cause,
  });
}

function networkFault(host: string, cause: unknown, { isHostStyle }: AddressGuesses): string {
  const detail = causes(cause);
  // If the host name contains the bucket's name, this might be why the host is unknown.
  const pathStyle = isHostStyle ? " Or set path_style_endpoint, which most self-hosted services need." : "";
  if (/ENOTFOUND|EAI_AGAIN/i.test(detail)) {
    return `there is no host ${host}. Check the destination's endpoint and region, and this machine's DNS.${pathStyle}`;
  }
  if (/refused/i.test(detail)) {
    return `${host} refuses the connection. Check the destination's endpoint and port.`;
  }
  if (/Parse Error: (?:Expected HTTP|Invalid)/i.test(detail)) {
    return `${host} does not speak HTTP on that port. Check the destination's endpoint and port.`;
  }
  const tls = tlsReason(cause);
  if (tls !== null) return `${host} can't be connected to safely: ${tls}.${pathStyle}`;
  return `the connection to ${host} failed. Check the network between this machine and the bucket.`;
}

function causes(error: unknown): string {
  return error instanceof Error ? `${error.message} ${causes(error.cause)}` : "";
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, 300);
}
