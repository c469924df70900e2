/**
 * Uploads in chunks, as Nextcloud offers them: its web server and PHP limit the size and the time of one
 * request. https://docs.nextcloud.com/server/latest/developer_manual/client_apis/WebDAV/chunking.html
 */
import { createHash } from "node:crypto";
import type { DavClient } from "./client.ts";
import { removeAt } from "./directory.ts";

const MAX_CHUNKS = 10_000;
/** Nextcloud wants at least 5 MB for every chunk but the last. */
const CHUNK_BYTES = 10 * 2 ** 20;
/** An object may grow by so much over the last one. */
const GROWTH = 1.5;

/** Returns the directory of uploads for a Nextcloud's address; null for other servers. */
export function uploadsUrl(base: string, username: string): string | null {
  const match = /^(.*\/remote\.php)\/(?:dav\/files\/([^/]+)|webdav)(?:\/|$)/.exec(base);
  if (match === null) return null;
  return `${match[1]}/dav/uploads/${match[2] ?? encodeURIComponent(username)}`;
}

/** Returns the size of chunks, so that an object of the expected size has few enough. */
export function chunkSize(sizeHint: number | null): number {
  return Math.max(CHUNK_BYTES, Math.ceil((sizeHint ?? 0) * GROWTH / MAX_CHUNKS));
}

/** The chunks of one object. Their directory is derived from its URL, so that a later run can remove it. */
export class Chunks {
  readonly #url: string;
  #count = 0;

  constructor(private readonly client: DavClient, uploads: string, private readonly target: string) {
    const id = createHash("sha256").update(target).digest("hex").slice(0, 32);
    this.#url = `${uploads}/rearguard-${id}`;
  }

  /** The assembled file, which is moved to its name. */
  get assembled(): string {
    return `${this.#url}/.file`;
  }

  /** Resolves with false if the server has no such uploads. */
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
