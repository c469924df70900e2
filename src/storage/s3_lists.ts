/** Lists of a bucket: its objects and its open uploads, page by page. */
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

/** Yields every object whose key starts with `prefix`, a page of 1,000 at a time, in the service's order. */
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
    // The service ignores the token, and would send the same page forever.
    if (token !== null && token === before) throw requests.malformed(action);
  } while (token !== null);
}

/** Yields every multipart upload that is open under `prefix`. */
export async function* listUploads(requests: S3Requests, prefix: string): AsyncGenerator<OpenUpload> {
  const action = "list the open uploads";
  let marker: OpenUpload | null = null;
  do {
    const query: Record<string, string> = { uploads: "", "encoding-type": "url", prefix };
    if (marker !== null) {
      query["key-marker"] = marker.key;
      // Amazon refuses an empty one.
      if (marker.uploadId !== "") query["upload-id-marker"] = marker.uploadId;
    }
    const page: Element = await requests.document(
      { action, method: "GET", key: null, query },
      "ListMultipartUploadsResult",
    );
    const decode = keyDecoder(page);
    for (const entry of childrenOf(page, "Upload")) {
      const key = decode(requests.required(action, entry, "Key"));
      // Some services ignore the prefix here.
      if (key.startsWith(prefix)) yield { key, uploadId: requests.required(action, entry, "UploadId") };
    }
    const before: OpenUpload | null = marker;
    marker = textOf(page, "IsTruncated") === "true"
      ? {
        key: decode(requests.required(action, page, "NextKeyMarker")),
        uploadId: textOf(page, "NextUploadIdMarker") ?? "",
      }
      : null;
    // The service ignores the marker, and would send the same page forever.
    if (marker !== null && marker.key === before?.key && marker.uploadId === before.uploadId) {
      throw requests.malformed(action);
    }
  } while (marker !== null);
}

/**
 * Returns a function that decodes keys. They come percent-encoded where the service says so, because XML
 * can't carry every character. A key that is not percent-encoded after all is kept as it is.
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
