/** Parses a response of a bucket, or of something in front of it, to a request that failed. */

/** Maximum bytes of a refusal that are read. The error code is at its beginning. */
export const REFUSAL_LIMIT = 64 * 1024;

export interface Refusal {
  /** The service's own code; null if the answer is not the service's. */
  readonly code: string | null;
  /** The service's message; empty for none. */
  readonly message: string;
  /**
   * Whether the response comes from something else than an S3 service, such as a proxy's page or a redirect.
   * It may be transient.
   */
  readonly isForeign: boolean;
}

/** Interprets an answer that is not a success. */
export function readRefusal(status: number, body: string): Refusal {
  if (/<Error\b/.test(body)) {
    const code = element(body, "Code");
    if (code !== null) return { code, message: element(body, "Message") ?? "", isForeign: false };
  }
  const isRedirect = status >= 300 && status < 400;
  return { code: null, message: "", isForeign: isRedirect || status < 500 && body.trim() !== "" };
}

/** Describes a foreign answer, for messages. */
export function foreignAnswer(status: number): string {
  return status < 300
    ? `it responds with ${status}, but not in S3's format`
    : `another program than an S3 service responded (HTTP ${status}), such as a proxy`;
}

function element(xml: string, name: string): string | null {
  const text = new RegExp(`<${name}>([^<]{1,300})</${name}>`).exec(xml)?.[1];
  return text === undefined ? null : text.replace(/\s+/g, " ").trim();
}
