/** Tests responses that no S3 service should send, but that proxies and unusual services do send. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { AddressPolicy } from "../network/address_policy.ts";
import { Network } from "../network/network.ts";
import { Bucket, StorageError } from "./s3.ts";

const network = new Network(AddressPolicy.everything);

/** Runs `work` with a bucket whose server responds to every request with `answer`. */
async function withAnswers<T>(
  answer: (request: Request) => Response,
  work: (bucket: Bucket) => Promise<T>,
): Promise<T> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  return await work(bucketAt(`http://127.0.0.1:${server.addr.port}`));
}

function bucketAt(endpoint: string): Bucket {
  const keys = { accessKey: "key", secretKey: "secret" };
  return new Bucket({ endpoint, region: null, bucket: "b", pathStyle: true, ...keys }, network);
}

async function rejection(work: Promise<unknown>): Promise<StorageError> {
  const error = await work.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof StorageError, Deno.inspect(error));
  return error;
}

const keys = async (bucket: Bucket) => (await Array.fromAsync(bucket.list(""))).map(({ key }) => key);
const uploads = (bucket: Bucket) => Array.fromAsync(bucket.listUploads(""));

function list(content: string, root = "ListBucketResult"): Response {
  return new Response(`<${root}><IsTruncated>false</IsTruncated>${content}</${root}>`);
}

function refusal(status: number, code: string, headers: HeadersInit = {}): Response {
  return new Response(`<Error><Code>${code}</Code></Error>`, { status, headers });
}

Deno.test("a page or an error under status 200 is no empty list", async () => {
  for (const work of [keys, uploads] as ((bucket: Bucket) => Promise<unknown>)[]) {
    const page = () => new Response("<html><body>Maintenance</body></html>");
    assert.equal((await rejection(withAnswers(page, work))).code, "Answer");
    assert.equal(
      (await rejection(withAnswers(() => refusal(200, "AccessDenied"), work))).code,
      "AccessDenied",
    );
  }
});

Deno.test("a page under status 200 aborts no upload and stores nothing", async () => {
  const page = () =>
    new Response("<!DOCTYPE html><p>Maintenance", { headers: { "content-type": "text/html" } });
  for (
    const work of [(bucket: Bucket) => bucket.abortUpload("k", "u"), (bucket: Bucket) => bucket.put("k", "")]
  ) {
    const error = await rejection(withAnswers<unknown>(page, work));
    assert.deepEqual([error.code, error.retryable], ["NotS3", true]);
  }
});

Deno.test("an error under status 200 is tried again, as under its own status", async () => {
  let count = 0;
  const answer = () => ++count < 3 ? refusal(200, "SlowDown") : list("");
  assert.deepEqual(await withAnswers(answer, keys), []);
  assert.equal(count, 3);
});

Deno.test("a page in place of a completion proves nothing", async () => {
  const answer = ({ method }: Request) =>
    method === "POST" ? new Response("<html><body>OK</body></html>") : refusal(404, "NoSuchKey");
  const parts = [{ partNumber: 1, etag: "e" }];
  const error = await rejection(withAnswers(answer, (bucket) => bucket.completeUpload("k", "u", parts, 1)));
  assert.deepEqual([error.code, error.retryable], ["Answer", true]);
});

Deno.test("answers that a proxy has compressed are read", async () => {
  const compressed = async (answer: Response) =>
    new Response(new Uint8Array(gzipSync(await answer.text())), {
      status: answer.status,
      headers: { "content-encoding": "gzip" },
    });
  const entry = list("<Contents><Key>k</Key><Size>1</Size></Contents>");
  const [listed, refused] = await Promise.all([
    compressed(entry),
    compressed(refusal(403, "InvalidAccessKeyId")),
  ]);
  assert.deepEqual(await withAnswers(() => listed, keys), ["k"]);
  assert.equal((await rejection(withAnswers(() => refused, keys))).code, "InvalidAccessKeyId");
});

Deno.test("a service that sends the same page for ever is told, not followed", async () => {
  const truncated = (root: string, next: string) =>
    new Response(`<${root}><IsTruncated>true</IsTruncated>${next}</${root}>`);
  const objects = () => truncated("ListBucketResult", "<NextContinuationToken>t</NextContinuationToken>");
  assert.equal((await rejection(withAnswers(objects, keys))).code, "Answer");
  const open = () => truncated("ListMultipartUploadsResult", "<NextKeyMarker>k</NextKeyMarker>");
  assert.equal((await rejection(withAnswers(open, uploads))).code, "Answer");
});

Deno.test("a key that is not percent-encoded, though the service says so, keeps its name", async () => {
  const answer = () =>
    list("<EncodingType>url</EncodingType><Contents><Key>d/100%.tar</Key><Size>1</Size></Contents>");
  assert.deepEqual(await withAnswers(answer, keys), ["d/100%.tar"]);
});

/**
 * Returns the request handler of a server whose bucket has one key. The bucket keeps the versions `versions`
 * of this key. If `isStuck` is true, deletions have no effect.
 */
function versioned(versions: Set<string>, isStuck = false) {
  return (request: Request) => {
    const { searchParams } = new URL(request.url);
    if (searchParams.has("versions")) {
      const entries = [...versions].map((id) =>
        `<Version><Key>k</Key><VersionId>${id}</VersionId></Version>`
      );
      return list(entries.join(""), "ListVersionsResult");
    }
    if (request.method === "DELETE") {
      if (!isStuck) versions.delete(searchParams.get("versionId") ?? "null");
      const isMarked = !searchParams.has("versionId");
      const headers = { "x-amz-delete-marker": "true", "x-amz-version-id": "null" };
      return new Response(null, { status: 204, headers: isMarked ? headers : {} });
    }
    if (versions.size === 0) return refusal(404, "NoSuchKey");
    return new Response(null, { headers: { "content-length": "0" } });
  };
}

Deno.test("a bucket whose versioning was suspended lets the object go whole", async () => {
  for (const versions of [["null"], ["null", "v1"], ["v1"]]) {
    const left = new Set(versions);
    const removed = await withAnswers(versioned(left), (bucket) => bucket.remove("k"));
    assert.deepEqual([removed, [...left]], [{ wasThere: true, kept: false }, []]);
  }
});

Deno.test("a bucket that goes on listing a deleted version is told", async () => {
  const answer = versioned(new Set(["v1"]), true);
  assert.equal((await rejection(withAnswers(answer, (bucket) => bucket.remove("k")))).code, "StillThere");
});

Deno.test("an endpoint that redirects, takes TLS only or speaks no HTTP is named as such", async () => {
  const message = async (answer: () => Response) => (await rejection(withAnswers(answer, keys))).message;
  const moved = (body: string | null, headers = {}) => () =>
    new Response(body, {
      status: 301,
      headers: { location: "https://s3.example/b?token=secret", ...headers },
    });
  for (const body of [null, "<html>Moved</html>"]) {
    assert.match(
      await message(moved(body)),
      /: it redirects to https:\/\/s3\.example \(HTTP 301\), which is/,
    );
  }
  assert.match(await message(moved(null, { "x-amz-bucket-region": "eu-west-3" })), /is in region eu-west-3/);
  const plain = () => new Response("Client sent an HTTP request to an HTTPS server.\n", { status: 400 });
  assert.match(await message(plain), /takes TLS only .* Begin the destination's endpoint with https:/);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode("SSH-2.0-OpenSSH_9.2\r\n"));
      connection.close();
    }
  })();
  const { message: text } = await rejection(
    keys(bucketAt(`http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`)),
  );
  assert.match(text, /does not speak HTTP on that port/);
  listener.close();
  await serving.catch(() => {});
});
