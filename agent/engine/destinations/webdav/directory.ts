/** Directory on a WebDAV server that stores the objects of backups. */
import { innerSegments } from "../../../../src/domain/location.ts";
import type { DestinationSpace } from "../../../../src/protocol/job.ts";
import { ObjectMissingError, RunFailedError } from "../../ports.ts";
import { type DavClient, DavError } from "./client.ts";
import { LongAnswerError } from "./exchange.ts";
import { childrenOf, type DavEntry } from "./properties.ts";

const CREATED = 201;
/** Status of the response to MKCOL if the directory already exists. */
const NOT_ALLOWED = 405;

export class DavDirectory {
  readonly #segments: string[];

  constructor(readonly client: DavClient, private readonly path: string) {
    this.#segments = innerSegments(path);
  }

  /** Description of the directory for messages. */
  get what(): string {
    return `${this.path} at ${this.client.server}`;
  }

  urlOf(name: string): string {
    return `${this.#url(this.#segments.length)}${encodeURIComponent(name)}`;
  }

  withClient(client: DavClient): DavDirectory {
    return new DavDirectory(client, this.path);
  }

  /** Checks whether the directory exists. Rejects with a `RunFailedError` if the directory is missing. */
  async find(): Promise<void> {
    if (await this.#look(this.#segments.length) !== null) return;
    throw new RunFailedError(
      `Cannot use ${this.what}: it does not exist. Check webdav_url and webdav_path, and whether the server has ` +
        "mounted its file system; where it is gone for good, make it anew.",
    );
  }

  /** Creates the directory, and the directories above it that are missing. */
  async make(): Promise<void> {
    let existing = this.#segments.length;
    while (existing > 0 && await this.#look(existing) === null) existing--;
    while (existing < this.#segments.length) {
      existing++;
      await this.client.request({
        action: `create ${this.what}`,
        method: "MKCOL",
        url: this.#url(existing),
        expected: [CREATED, NOT_ALLOWED],
      });
    }
  }

  /** Returns the size of an object in bytes; null if the object does not exist. */
  async sizeOf(name: string): Promise<number | null> {
    const entry = await this.client.look(`read ${name} in ${this.what}`, this.urlOf(name));
    if (entry === null) return null;
    if (entry.size !== null && !entry.isDirectory) return entry.size;
    throw new RunFailedError(`Cannot read ${name} in ${this.what}: the server does not tell its size`);
  }

  /**
   * Returns the error for a missing object. If the whole directory is empty, the error says that. Rejects if
   * the directory itself is missing.
   */
  async missing(name: string): Promise<RunFailedError> {
    await this.find();
    if (!await this.#isEmpty()) {
      return new ObjectMissingError(`Cannot read ${name} in ${this.what}: it does not exist`);
    }
    return new RunFailedError(
      `Cannot read ${name} in ${this.what}: its directory is empty. Check whether the server has mounted its file ` +
        "system.",
    );
  }

  /** Removes files. Resolves with true if at least one of them existed. */
  async remove(names: readonly string[]): Promise<boolean> {
    let wasThere = false;
    for (const name of names) wasThere = await removeAt(this.client, this.urlOf(name), name) || wasThere;
    return wasThere;
  }

  /**
   * Takes the error of a failed write and returns the error to report. Normally returns the given error. If
   * the account's quota is full, returns an error about the quota instead.
   */
  async quotaFault(error: unknown): Promise<unknown> {
    if (!(error instanceof DavError) || error.status === null || error.status === 507) return error;
    const entry = await this.#look(this.#segments.length).catch(() => null);
    if (entry?.free === null || entry?.free === undefined || entry.free > FULL) return error;
    const [what] = error.message.split(": ");
    return new DavError(
      `${what}: the account's quota is full. Free some space there, or keep fewer backups.`,
      error.status,
    );
  }

  /** Returns the account's quota (RFC 4331) at this directory; null if the server does not report it. */
  async space(): Promise<DestinationSpace | null> {
    const own = await this.#look(this.#segments.length);
    const used = own?.used ?? null;
    const free = own?.free ?? null;
    if (free === null || used === null) return null;
    const top = this.#segments.length === 0 ? own : await this.#look(0);
    // Nextcloud reports only a directory's own size as its used bytes, not the used bytes of the account. If
    // the top directory has the same quota as this directory, the top directory's used bytes are those of the
    // whole account.
    const isSameQuota = Math.abs((top?.free ?? -Infinity) - free) <= free * SAME_QUOTA;
    const usedOfQuota = isSameQuota ? Math.max(used, top?.used ?? 0) : used;
    return { free, total: free + usedOfQuota };
  }

  async #isEmpty(): Promise<boolean> {
    try {
      const url = this.#url(this.#segments.length);
      const entries = await this.client.list(`list ${this.what}`, url, 1);
      return entries === null || childrenOf(entries).length === 0;
    } catch (error) {
      // The listing was too long to be read, so the directory is not empty.
      if (error instanceof LongAnswerError) return false;
      throw error;
    }
  }

  #look(length: number): Promise<DavEntry | null> {
    return this.client.look(`use ${this.what}`, this.#url(length));
  }

  /** Returns the URL of the directory with the first `length` segments of the path. */
  #url(length: number): string {
    return [this.client.base, ...this.#segments.slice(0, length).map(encodeURIComponent), ""].join("/");
  }
}

/**
 * Minimum free space of the account, in bytes. If less is free, a failed write is reported as caused by the
 * quota.
 */
const FULL = 2 ** 20;

/**
 * Two directories count as having the same quota if their free space differs by at most this share. With the
 * same quota, it can differ because Nextcloud caches the free space of each directory for five minutes.
 */
const SAME_QUOTA = 0.1;

/** Removes a file or a directory. Resolves with true if it existed. */
export async function removeAt(client: DavClient, url: string, name: string): Promise<boolean> {
  const { status } = await client.request({
    action: `remove ${name} at ${client.server}`,
    method: "DELETE",
    url,
    expected: [200, 202, 204, 404],
  });
  return status !== 404;
}
