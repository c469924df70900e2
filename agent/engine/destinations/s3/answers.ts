/** Parses the response to a failed request, from a bucket or from a proxy in front of the bucket. */

/**
 * Maximum number of bytes to read from the response to a refused request. The error code is at the beginning
 * of the response.
 */
export const REFUSAL_LIMIT = 64 * 1024;

export interface Refusal {
  /** The error code of the S3 service; null if the response does not come from an S3 service. */
  readonly code: string | null;
  /** The message of the S3 service; empty if there is none. */
  readonly message: string;
  /**
   * Whether the response does not come from an S3 service. For example, a proxy might have sent an error page
   * or a redirect. Such a response might be transient.
   */
  readonly isForeign: boolean;
}

/** Parses a response that reports an error. */
export function readRefusal(status: number, body: string): Refusal {
  if (/<Error\b/.test(body)) {
    const code = element(body, "Code");
    if (code !== null) return { code, message: element(body, "Message") ?? "", isForeign: false };
  }
  const isRedirect = status >= 300 && status < 400;
  return { code: null, message: "", isForeign: isRedirect || status < 500 && body.trim() !== "" };
}

/** Describes a response that does not come from an S3 service. The description is for error messages. */
export function foreignAnswer(status: number): string {
  return status < 300
    ? `it responds with ${status}, but not in S3's format`
    : `another program than an S3 service responded (HTTP ${status}), such as a proxy`;
}

function element(xml: string, name: string): string | null {
  const text = new RegExp(`<${name}>([^<]{1,300})</${name}>`).exec(xml)?.[1];
  return text === undefined ? null : text.replace(/\s+/g, " ").trim();
}
