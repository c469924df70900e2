/**
 * Uploads an object to a Nextcloud server in chunks, because Nextcloud's web server and PHP limit the size
 * and the time of one request. Nextcloud's documentation explains this:
 * https://docs.nextcloud.com/server/latest/developer_manual/client_apis/WebDAV/chunking.html
 */
import { createHash } from "node:crypto";
import type { DavClient } from "./client.ts";
import { removeAt } from "./directory.ts";

const MAX_CHUNKS = 10_000;
/**
 * Minimum size of a chunk, in bytes. Nextcloud requires at least 5 MB for every chunk except the last one,
 * which is allowed to be smaller.
 */
const CHUNK_BYTES = 10 * 2 ** 20;
/**
 * An object can become larger than expected. Up to this many times the expected size, `MAX_CHUNKS` chunks are
 * enough for the object.
 */
const GROWTH = 1.5;

/**
 * Returns the URL of the directory for uploads if the server is a Nextcloud server; null for other servers.
 *
 * @param base The URL that the user has set.
 */
export function uploadsUrl(base: string, username: string): string | null {
  const match = /^(.*\/remote\.php)\/(?:dav\/files\/([^/]+)|webdav)(?:\/|$)/.exec(base);
  if (match === null) return null;
  return `${match[1]}/dav/uploads/${match[2] ?? encodeURIComponent(username)}`;
}

/**
 * Returns the size of a chunk in bytes. The size is such that an object of the expected size has at most
 * `MAX_CHUNKS` chunks.
 */
export function chunkSize(sizeHint: number | null): number {
  return Math.max(CHUNK_BYTES, Math.ceil((sizeHint ?? 0) * GROWTH / MAX_CHUNKS));
}

/**
 * The chunks of one object, in a directory of their own. The directory's URL is derived from the object's
 * URL, so that a later run can find and remove the directory.
 */
export class Chunks {
  readonly #url: string;
  #count = 0;

  constructor(private readonly client: DavClient, uploads: string, private readonly target: string) {
    const id = createHash("sha256").update(target).digest("hex").slice(0, 32);
    this.#url = `${uploads}/rearguard-${id}`;
  }

  /**
   * URL of the file that the server assembles from the chunks. Moving this file to the object's name
   * completes the upload.
   */
  get assembled(): string {
    return `${this.#url}/.file`;
  }

  /** Starts an upload. Resolves with true, or with false if the server does not support uploads in chunks. */
  async open(): Promise<boolean> {
    await this.remove(this.client);
    const { status } = await this.client.request({
      action: `start an upload to ${this.client.server}`,
      method: "MKCOL",
      url: `${this.#url}/`,
      headers: { destination: this.target },
      expected: [201, 404, 405, 409, 501],
    });
    return status === 201;
  }

  async send(body: Uint8Array): Promise<void> {
    const number = ++this.#count;
    await this.client.request({
      action: `upload part ${number} to ${this.client.server}`,
      method: "PUT",
      url: `${this.#url}/${String(number).padStart(5, "0")}`,
      headers: { destination: this.target, "content-type": "application/octet-stream" },
      body,
      expected: [200, 201, 204],
      patience: 3,
    });
  }

  async remove(client: DavClient): Promise<void> {
    await removeAt(client, `${this.#url}/`, "an unfinished upload");
  }
}
