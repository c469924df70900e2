/**
 * An S3 server that counts and discards the bytes that it receives. Storing the bytes would slow down the
 * measured client. Prints its port.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

const sizes = new Map<string, number>();
const uploads = new Map<string, number>();
let nextUpload = 1;

function drain(request: IncomingMessage): Promise<number> {
  return new Promise((resolve, reject) => {
    let size = 0;
    request.on("data", (chunk: Uint8Array) => void (size += chunk.length));
    request.on("end", () => resolve(size));
    request.on("error", reject);
  });
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url!, "http://sink");
  const size = await drain(request);
  const upload = url.searchParams.get("uploadId");
  const xml = (name: string, body: string) => {
    response.setHeader("content-type", "application/xml");
    response.end(`<?xml version="1.0"?><${name}>${body}</${name}>`);
  };
  const etag = `"${"0".repeat(32)}"`;
  if (request.method === "POST" && url.searchParams.has("uploads")) {
    const id = `upload-${nextUpload++}`;
    uploads.set(id, 0);
    return xml("InitiateMultipartUploadResult", `<UploadId>${id}</UploadId>`);
  }
  if (request.method === "PUT" && upload !== null) {
    uploads.set(upload, uploads.get(upload)! + size);
    return void response.setHeader("etag", etag).end();
  }
  if (request.method === "POST" && upload !== null) {
    sizes.set(url.pathname, uploads.get(upload)!);
    return xml("CompleteMultipartUploadResult", `<ETag>"${"0".repeat(32)}-1"</ETag>`);
  }
  if (request.method === "PUT") {
    sizes.set(url.pathname, size);
    return void response.setHeader("etag", etag).end();
  }
  const stored = sizes.get(url.pathname);
  if (request.method === "HEAD" && stored !== undefined) {
    response.setHeader("content-length", stored).setHeader("etag", `"${"0".repeat(32)}-1"`);
    return void response.setHeader("last-modified", "Mon, 05 Jan 2026 12:00:00 GMT").end();
  }
  if (url.pathname.split("/").filter(Boolean).length === 1) return xml("ListBucketResult", "");
  response.statusCode = 404;
  if (request.method === "HEAD") return void response.end();
  xml("Error", "<Code>NoSuchKey</Code><Message>It is not here.</Message>");
}

const server = createServer((request, response) => void answer(request, response));
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as { port: number };
  Deno.stdout.writeSync(new TextEncoder().encode(`${port}\n`));
});
