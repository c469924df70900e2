/** Explains responses with which a WebDAV server, or a proxy in front of it, refuses a request. */
import type { IncomingHttpHeaders } from "node:http";
import { oneLine } from "../../programs/line.ts";

export interface DavAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Text of the response, decoded and cut off at a limit. */
  readonly body: string;
}

export interface Refusal {
  /** Reason of the refusal, as the end of a sentence. The word "it" in the reason means the server. */
  readonly reason: string;
  /** Whether the same request might succeed later. */
  readonly waits: boolean;
}

const CHECK_URL = "Check webdav_url";

const REASONS: Record<number, string> = {
  403: "it does not allow that (403). Give the account the right to read, write and delete there",
  404: `it does not exist (404). ${CHECK_URL} and webdav_path`,
  405:
    `it does not take such requests there (405). ${CHECK_URL}: it must be the address of the WebDAV service`,
  409: "a directory above it is missing (409). Check webdav_url and webdav_path",
  412: "another file took its name (412). Run the task again",
  413:
    "something before it refuses bodies as large as this (413). Let it take more: client_max_body_size 0, where " +
    "it is nginx",
  423: "it is locked (423). Remove the lock at the server",
  501: "it does not know such requests (501). See whether it is a WebDAV server that can be written to",
  507: "its disk is full, or the account's quota (507). Free some space there, or keep fewer backups",
};

/**
 * Explains a response with an unexpected status. Returns the reason, and whether the same request might
 * succeed later.
 */
export function explain({ status, headers, body }: DavAnswer): Refusal {
  if (status === 401) return { reason: unauthorized(headers["www-authenticate"] ?? ""), waits: false };
  if (status >= 300 && status < 400) return { reason: redirected(status, headers.location), waits: false };
  if (status < 300) {
    return { reason: `it answers ${status}, but not as WebDAV does. ${CHECK_URL}`, waits: false };
  }
  const said = /<s:message[^>]*>([^<]{1,300})<\/s:message>/.exec(body)?.[1];
  const reason = REASONS[status] ?? `it answers ${status}`;
  return {
    reason: said === undefined ? reason : `${reason}. It says: ${oneLine(said).trim().replace(/\.$/, "")}`,
    waits: isTransient(status),
  };
}

/**
 * Returns whether the same request might succeed later. This includes status 423 (locked): Nextcloud unlocks
 * a file as soon as Nextcloud has finished its work on the file.
 */
export function isTransient(status: number): boolean {
  return status === 408 || status === 423 || status === 425 || status === 429 ||
    status >= 500 && status !== 501 && status !== 507;
}

function unauthorized(challenge: string): string {
  if (/\bdigest\b/i.test(challenge) && !/\bbasic\b/i.test(challenge)) {
    return "it wants digest authentication (401), which is not supported. Let it take basic authentication, with TLS";
  }
  return "it does not let the user in (401). Check webdav_username and webdav_password; with two factors, Nextcloud " +
    "wants an app password";
}

function redirected(status: number, location: string | undefined): string {
  const target = URL.parse(location ?? "");
  const where = target === null ? "elsewhere" : `to ${target.origin}`;
  return `it redirects ${where} (${status}), and the password is not sent there. Set webdav_url to the final address`;
}
