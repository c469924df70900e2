/**
 * Checks signatures of version 4 on the request as received, as S3 does:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
import { createHash, createHmac } from "node:crypto";

export interface SignedRequest {
  readonly method: string;
  /** The request's path and query, as sent. */
  readonly target: string;
  readonly headers: Record<string, string | string[] | undefined>;
}

export interface Keys {
  readonly accessKey: string;
  readonly secretKey: string;
}

/** Returns S3's error code for an invalid signature; null if the signature is valid. */
export function signatureFault(request: SignedRequest, keys: Keys, now: Date): string | null {
  const [path, search = ""] = request.target.split("?") as [string, string?];
  const query = search.split("&").filter((pair) => pair !== "").map((pair): [string, string] => {
    const at = pair.indexOf("=");
    return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
  });
  const claim = inQuery(query) ?? inHeader(request);
  if (claim === null) return "AccessDenied";
  if (claim.credential[0] !== keys.accessKey) return "InvalidAccessKeyId";

  const [, day, region, service] = claim.credential as [string, string, string, string];
  const canonical = [
    request.method,
    path,
    query.filter(([name]) => name !== "X-Amz-Signature").map((pair) => pair.map(recode))
      .sort((a, b) => compare(a[0]!, b[0]!) || compare(a[1]!, b[1]!))
      .map((pair) => pair.join("=")).join("&"),
    ...claim.signedHeaders.map((name) => `${name}:${String(request.headers[name]).trim()}`),
    "",
    claim.signedHeaders.join(";"),
    claim.payload,
  ].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", claim.date, scope, sha256(canonical)].join("\n");
  const key = [day, region, service, "aws4_request"].reduce<Uint8Array | string>(
    (signing, part) => createHmac("sha256", signing).update(part).digest(),
    `AWS4${keys.secretKey}`,
  );
  if (createHmac("sha256", key).update(text).digest("hex") !== claim.signature) {
    return "SignatureDoesNotMatch";
  }

  const age = (now.getTime() - parseDate(claim.date).getTime()) / 1000;
  if (claim.expires === null) return Math.abs(age) > 900 ? "RequestTimeTooSkewed" : null;
  return age > claim.expires ? "AccessDenied" : null;
}

interface Claim {
  /** The parts of the credential: access key, day, region, service, `aws4_request`. */
  credential: string[];
  date: string;
  signedHeaders: string[];
  signature: string;
  payload: string;
  /** Time for which the signature is valid, in seconds; null for a signature in the header. */
  expires: number | null;
}

function inQuery(query: [string, string][]): Claim | null {
  const values = new Map(query.map(([name, value]) => [name, decode(value)]));
  const signature = values.get("X-Amz-Signature");
  if (signature === undefined) return null;
  return {
    credential: values.get("X-Amz-Credential")!.split("/"),
    date: values.get("X-Amz-Date")!,
    signedHeaders: values.get("X-Amz-SignedHeaders")!.split(";"),
    signature,
    payload: "UNSIGNED-PAYLOAD",
    expires: Number(values.get("X-Amz-Expires")),
  };
}

function inHeader({ headers }: SignedRequest): Claim | null {
  const match = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/
    .exec(String(headers["authorization"] ?? ""));
  if (match === null) return null;
  return {
    credential: match[1]!.split("/"),
    date: String(headers["x-amz-date"]),
    signedHeaders: match[2]!.split(";"),
    signature: match[3]!,
    payload: String(headers["x-amz-content-sha256"]),
    expires: null,
  };
}

/** Decodes text as sent by the client, and encodes it again in the form that signatures are computed from. */
function recode(text: string): string {
  return encodeURIComponent(decode(text)).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function parseDate(text: string): Date {
  return new Date(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}
