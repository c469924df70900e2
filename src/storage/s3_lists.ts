/** Lists a bucket's objects and its open uploads, page by page. */
import type { S3Requests } from "./s3_request.ts";
import { childrenOf, type Element, textOf } from "./xml.ts";

export interface StoredKey {
  readonly key: string;
  readonly size: number;
}
export interface OpenUpload {
  readonly key: string;
  readonly uploadId: string;
}

/**
 * Yields all objects whose keys start with `prefix`, in the service's order. Each request returns up to
 * 1,000.
 */
export async function* listObjects(requests: S3Requests, prefix: string): AsyncGenerator<StoredKey> {
  const action = "list the objects";
  let token: string | null = null;
  do {
    const query: Record<string, string> = { "list-type": "2", "encoding-type": "url", prefix };
    if (token !== null) query["continuation-token"] = token;
    const page: Element = await requests.document(
      { action, method: "GET", key: null, query },
      "ListBucketResult",
    );
    const decode = keyDecoder(page);
    for (const entry of childrenOf(page, "Contents")) {
      const key = decode(requests.required(action, entry, "Key"));
      yield { key, size: Number(requests.required(action, entry, "Size")) };
    }
    const before: string | null = token;
    token = textOf(page, "IsTruncated") === "true"
      ? requests.required(action, page, "NextContinuationToken")
      : null;
    // If a service sends the same token again, it ignores tokens. It would send the same page forever.
    if (token !== null && token === before) throw requests.malformed(action);
  } while (token !== null);
}

/** Yields all open multipart uploads whose keys start with `prefix`. */
export async function* listUploads(requests: S3Requests, prefix: string): AsyncGenerator<OpenUpload> {
  const action = "list the open uploads";
  let marker: OpenUpload | null = null;
  do {
    const query: Record<string, string> = { uploads: "", "encoding-type": "url", prefix };
    if (marker !== null) {
      query["key-marker"] = marker.key;
      // Amazon refuses an empty upload id.
      if (marker.uploadId !== "") query["upload-id-marker"] = marker.uploadId;
    }
    const page: Element = await requests.document(
      { action, method: "GET", key: null, query },
      "ListMultipartUploadsResult",
    );
    const decode = keyDecoder(page);
    for (const entry of childrenOf(page, "Upload")) {
      const key = decode(requests.required(action, entry, "Key"));
      // Some services ignore the prefix in this request.
      if (key.startsWith(prefix)) yield { key, uploadId: requests.required(action, entry, "UploadId") };
    }
    const before: OpenUpload | null = marker;
    marker = textOf(page, "IsTruncated") === "true"
      ? {
        key: decode(requests.required(action, page, "NextKeyMarker")),
        uploadId: textOf(page, "NextUploadIdMarker") ?? "",
      }
      : null;
    // If the service sends the same marker again, it ignores markers. It would send the same page forever.
    if (marker !== null && marker.key === before?.key && marker.uploadId === before.uploadId) {
      throw requests.malformed(action);
    }
  } while (marker !== null);
}

/**
 * Returns a function that decodes the keys of a page. Services are allowed to percent-encode keys, because
 * XML cannot contain every character. A page says whether its keys are encoded. If a key of such a page is
 * not validly encoded, the function returns the key unchanged.
 */
function keyDecoder(page: Element): (key: string) => string {
  if (textOf(page, "EncodingType") !== "url") return (key) => key;
  return (key) => {
    try {
      return decodeURIComponent(key.replaceAll("+", " "));
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      return key;
    }
  };
}
