/**
 * An S3 server that only counts: what an upload to it costs is the client's cost. Takes multipart uploads and plain
 * PUTs, with whatever signature, and forgets the bytes. Runs as a process of its own: `deno run -N bench/s3_sink.ts`
 * prints its port; `GET /` tells the bytes taken so far.
 */
const objects = new Map<string, number>();
const uploads = new Map<string, number>();
let taken = 0;

async function count(body: ReadableStream<Uint8Array> | null): Promise<number> {
  let size = 0;
  for await (const chunk of body ?? []) size += chunk.length;
  taken += size;
  return size;
}

function xml(root: string, content: string): Response {
  return new Response(`<?xml version="1.0" encoding="UTF-8"?>\n<${root}>${content}</${root}>`, {
    headers: { "content-type": "application/xml" },
  });
}

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const uploadId = searchParams.get("uploadId");
  const size = await count(request.body);
  switch (request.method) {
    case "GET":
      return new Response(String(taken));
    case "HEAD": {
      const stored = objects.get(pathname);
      const headers = { "content-length": String(stored ?? 0), etag: '"counted"' };
      return new Response(null, { status: stored === undefined ? 404 : 200, headers });
    }
    case "POST": {
      if (uploadId === null) {
        const id = crypto.randomUUID();
        uploads.set(id, 0);
        return xml("InitiateMultipartUploadResult", `<UploadId>${id}</UploadId>`);
      }
      objects.set(pathname, uploads.get(uploadId) ?? 0);
      uploads.delete(uploadId);
      return xml("CompleteMultipartUploadResult", `<ETag>"counted"</ETag>`);
    }
    case "PUT":
      if (uploadId === null) objects.set(pathname, size);
      else uploads.set(uploadId, (uploads.get(uploadId) ?? 0) + size);
      return new Response(null, { headers: { etag: '"counted"' } });
    case "DELETE":
      objects.delete(pathname);
      return new Response(null, { status: 204 });
    default:
      return new Response(null, { status: 405 });
  }
}

if (import.meta.main) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  await Deno.stdout.write(new TextEncoder().encode(`${server.addr.port}\n`));
}
