/**
 * The versions of one object: a bucket with versioning keeps every one, and a plain deletion only hides the
 * last.
 */
import { isRefused, type S3Requests } from "./s3_request.ts";
import { StorageError } from "./storage_error.ts";
import { childrenOf, type Element, parseXml, textOf } from "./xml.ts";

export class ObjectVersions {
  constructor(private readonly requests: S3Requests, private readonly key: string) {}

  /**
   * Deletes every version for good. Returns false if the object has only one version, which a plain deletion
   * removes, or if the access key may not list or delete versions. Throws, and hides nothing, if the bucket
   * locks a version.
   */
  async remove(): Promise<boolean> {
    let isAny = false;
    for (;;) {
      const versions = await this.#list();
      if (versions.length === 0) return isAny;
      for (const versionId of versions) {
        if (!(await this.#delete(versionId))) return false;
        isAny = true;
      }
    }
  }

  /** Lists the versions, newest first. Empty if the bucket has no versioning, or does not list them. */
  async #list(): Promise<string[]> {
    let page: Element;
    try {
      const { text } = await this.requests.send({
        action: `list the versions of ${this.key}`,
        method: "GET",
        key: null,
        query: { versions: "", prefix: this.key, "max-keys": "100" },
      });
      page = parseXml(text.trim());
    } catch (error) {
      if (error instanceof SyntaxError) return [];
      if (error instanceof StorageError && !error.retryable) return [];
      throw error;
    }
    if (page.name !== "ListVersionsResult") return [];
    return [...childrenOf(page, "Version"), ...childrenOf(page, "DeleteMarker")]
      .filter((entry) => textOf(entry, "Key") === this.key)
      .map((entry) => textOf(entry, "VersionId") ?? "null")
      .filter((id) => id !== "" && id !== "null");
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
