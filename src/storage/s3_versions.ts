/**
 * Deletes all versions of an object. A bucket with versioning keeps every version, and a plain deletion only
 * hides the newest.
 */
import { isRefused, type S3Requests } from "./s3_request.ts";
import { StorageError } from "./storage_error.ts";
import { childrenOf, type Element, textOf } from "./xml.ts";

/** Id of a version that was stored while the bucket's versioning was off or suspended. */
const UNVERSIONED = "null";

export class ObjectVersions {
  constructor(private readonly requests: S3Requests, private readonly key: string) {}

  /**
   * Deletes every version for good, and returns true. Throws if the bucket locks a version; the object then
   * stays visible. Returns false in two cases:
   * - The bucket has no versioning. A plain deletion suffices.
   * - The access key is not allowed to list or delete versions.
   */
  async remove(): Promise<boolean> {
    const deleted = new Set<string>();
    for (;;) {
      const versions = await this.#list();
      // In a bucket that never had versioning, only a request without a version id deletes the object.
      if (deleted.size === 0 && versions.every((id) => id === UNVERSIONED)) return false;
      if (versions.length === 0) return true;
      for (const versionId of versions) {
        if (deleted.has(versionId)) throw this.#stillThere(versionId);
        if (!(await this.#delete(versionId))) return false;
        deleted.add(versionId);
      }
    }
  }

  /**
   * Returns the ids of the versions, the newest first. Returns none if the bucket has no versioning, or does
   * not list versions.
   */
  async #list(): Promise<string[]> {
    let page: Element;
    try {
      page = await this.requests.document({
        action: `list the versions of ${this.key}`,
        method: "GET",
        key: null,
        query: { versions: "", prefix: this.key, "max-keys": "100" },
      }, "ListVersionsResult");
    } catch (error) {
      if (error instanceof StorageError && !error.retryable) return [];
      throw error;
    }
    return [...childrenOf(page, "Version"), ...childrenOf(page, "DeleteMarker")]
      .filter((entry) => textOf(entry, "Key") === this.key)
      .map((entry) => textOf(entry, "VersionId") || UNVERSIONED);
  }

  #stillThere(versionId: string): StorageError {
    return new StorageError(
      `Cannot delete ${this.key}: the bucket accepted the deletion, but still lists version ${versionId}`,
      "StillThere",
      true,
    );
  }

  async #delete(versionId: string): Promise<boolean> {
    const action = `delete a version of ${this.key}`;
    try {
      await this.requests.send({ action, method: "DELETE", key: this.key, query: { versionId } });
      return true;
    } catch (error) {
      if (isRefused(error, "NoSuchVersion", "NoSuchKey")) return true;
      if (isRefused(error, "AccessDenied", "NotImplemented", "MethodNotAllowed")) return false;
      throw error;
    }
  }
}
