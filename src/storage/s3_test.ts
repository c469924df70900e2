import assert from "node:assert/strict";
import { loopback } from "../../tests/support/servers/loopback.ts";
import { freePort } from "../../tests/support/servers/ports.ts";
import { signatureFault } from "../../tests/support/servers/s3_signature.ts";
import { type S3Call, type S3Fault, TestS3 } from "../../tests/support/servers/s3.ts";
import { systemClock } from "../domain/clock.ts";
import { Bucket, StorageError } from "./s3.ts";

/** A clock that does not wait between attempts. */
const eager = { ...systemClock, sleep: () => Promise.resolve() };

function bucketOf(s3: TestS3, changes: Partial<TestS3["options"]> = {}): Bucket {
  return new Bucket({ ...s3.options, ...changes }, loopback, eager);
}

async function upload(bucket: Bucket, key: string, ...parts: string[]): Promise<string> {
  const uploadId = await bucket.createUpload(key);
  const done = [];
  for (const [index, body] of parts.entries()) {
    const url = await bucket.signPart(key, uploadId, index + 1, 60);
    const response = await fetch(url, { method: "PUT", body });
    assert.equal(response.status, 200, await response.text());
    done.push({ partNumber: index + 1, etag: response.headers.get("etag")! });
  }
  await bucket.completeUpload(key, uploadId, done, parts.join("").length);
  return uploadId;
}

async function rejection(promise: Promise<unknown>): Promise<StorageError> {
  try {
    await promise;
  } catch (error) {
    assert(error instanceof StorageError, String(error));
    return error;
  }
  assert.fail("nothing was thrown");
}

/**
 * Returns a function that is called for each request. If `applies` returns true for the request's method, the
 * function returns `fault`, but at most `times` times. Otherwise it returns null.
 */
function faults(times: number, fault: S3Fault, applies: (method: string) => boolean = () => true) {
  return (call: { method: string }) => applies(call.method) && times-- > 0 ? fault : null;
}

Deno.test("the test server's signature check knows Amazon's own example", () => {
  const target =
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524" +
    "%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
  const request = { method: "GET", target, headers: { host: "examplebucket.s3.amazonaws.com" } };
  const keys = {
    accessKey: "AKIAIOSFODNN7EXAMPLE",
    secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  };
  assert.equal(signatureFault(request, keys, new Date("2013-05-24T12:00:00Z")), null);
  assert.equal(signatureFault(request, keys, new Date("2013-05-25T00:00:01Z")), "AccessDenied");
  assert.equal(signatureFault({ ...request, method: "PUT" }, keys, new Date(0)), "SignatureDoesNotMatch");
});

Deno.test("an upload in signed parts becomes one object of the sum of their sizes", async () => {
  await using s3 = await TestS3.open();
  const bucket = bucketOf(s3);
  assert.equal(await bucket.head("a/b.tar.zst"), null);
  await upload(bucket, "a/b.tar.zst", "first ", "second");
  assert.equal(await bucket.head("a/b.tar.zst"), 12);
  assert.equal(await bucket.get("a/b.tar.zst"), "first second");
  await bucket.remove("a/b.tar.zst");
  assert.equal(await bucket.head("a/b.tar.zst"), null);
  await bucket.remove("a/b.tar.zst");
});

Deno.test("odd keys are signed, stored, listed and removed under their own name", async () => {
  await using s3 = await TestS3.open();
  const bucket = bucketOf(s3);
  const keys = ["d/a b+c.zst", "d/naïve-日本.zst", "d/100%(1)'*!~.zst", "d/a&b=c?d#e.zst"];
  for (const key of keys) await upload(bucket, key, key);
  const listed = await Array.fromAsync(bucket.list("d/"));
  assert.deepEqual(listed.map(({ key }) => key).sort(), [...keys].sort());
  for (const key of keys) {
    assert.equal(await bucket.get(key), key);
    await bucket.remove(key);
  }
  assert.deepEqual(await Array.fromAsync(bucket.list("d/")), []);
});

Deno.test("a list goes on past its first page", async () => {
  await using s3 = await TestS3.open();
  const bucket = bucketOf(s3);
  s3.pageSize = 2;
  const names = ["p/a b", "p/b+c", "p/c%d", "p/d&e", "p/e"];
  for (const name of names) await bucket.put(name, "x");
  assert.deepEqual((await Array.fromAsync(bucket.list("p/"))).map(({ key }) => key), names);
  assert.equal(s3.calls.filter((call) => call.query.has("list-type")).length, 3);
});

Deno.test("an aborted upload is gone, and aborting it again is no error", async () => {
  await using s3 = await TestS3.open();
  const bucket = bucketOf(s3);
  const uploadId = await bucket.createUpload("x");
  const other = await bucket.createUpload("xy");
  assert.deepEqual(
    (await Array.fromAsync(bucket.listUploads("x"))).map((one) => one.uploadId).sort(),
    [uploadId, other].sort(),
  );
  assert.equal(await bucket.abortUpload("x", uploadId), true);
  assert.equal(await bucket.abortUpload("x", uploadId), false);
  assert.deepEqual(await Array.fromAsync(bucket.listUploads("")), [{ key: "xy", uploadId: other }]);
});

Deno.test("a look-up that is refused says why, though its answer has no body", async () => {
  await using s3 = await TestS3.open();
  for (
    const [wrong, code] of [
      [{ secretKey: "not-it" }, "SignatureDoesNotMatch"],
      [{ accessKey: "not-it" }, "InvalidAccessKeyId"],
    ] as const
  ) {
    const error = await rejection(bucketOf(s3, wrong).head("x"));
    assert.equal(error.code, code);
    assert.match(error.message, /^Cannot look up x in bucket backups at /);
  }
  s3.fault = (call) => call.method === "HEAD" ? { status: 403, code: "AccessDenied" } : null;
  assert.equal((await rejection(bucketOf(s3).head("x"))).code, "AccessDenied");
});

Deno.test("an error under status 200 fails a completion, and is tried again", async () => {
  await using s3 = await TestS3.open();
  const bucket = bucketOf(s3);
  const failing = (count: number) =>
    s3.fault = faults(
      count,
      { status: 200, code: "InternalError" },
      (method) => method === "POST" && s3.calls.at(-1)!.query.has("uploadId"),
    );
  failing(4);
  const error = await rejection(upload(bucket, "x", "data"));
  assert.equal(error.code, "InternalError");
  assert.equal(error.retryable, true);
  assert.equal(await bucket.head("x"), null);
  failing(1);
  await upload(bucket, "x", "data");
  assert.equal(await bucket.head("x"), 4);
});

Deno.test("a burst of 503 is waited out", async () => {
  await using s3 = await TestS3.open();
  const bucket = bucketOf(s3);
  s3.fault = faults(3, { status: 503, code: "SlowDown" });
  await bucket.put("x", "data");
  s3.fault = faults(2, "cut");
  assert.equal(await bucket.get("x"), "data");
  s3.fault = faults(100, { status: 500, code: "InternalError" });
  const error = await rejection(bucket.get("x"));
  assert.equal(error.retryable, true);
  assert.match(error.message, /^Cannot read x in bucket backups at 127\.0\.0\.1:\d+: .*Try again later\.$/);
});

Deno.test("an upload is not started again by itself when its answer is lost", async () => {
  await using s3 = await TestS3.open();
  const bucket = bucketOf(s3);
  s3.fault = faults(1, "cut the answer");
  const error = await rejection(bucket.createUpload("x"));
  assert.equal(error.retryable, true);
  assert.equal((await s3.openUploads()).length, 1);
});

Deno.test("failures name the setting to change and hold no secret", async () => {
  await using s3 = await TestS3.open();
  const wrong = "wrong-secret-key";
  const cases: [Partial<TestS3["options"]>, RegExp, string][] = [
    [{ accessKey: "AKIAUNKNOWN" }, /the service does not know the access key/, "InvalidAccessKeyId"],
    [{ secretKey: wrong }, /secret key does not belong to the access key/, "SignatureDoesNotMatch"],
    [{ bucket: "elsewhere" }, /bucket does not exist .*bucket name/, "NoSuchBucket"],
    [{ endpoint: `http://127.0.0.1:${freePort()}` }, /127\.0\.0\.1:\d+ refuses the connection/, "Network"],
    [{ endpoint: "https://no-such-host.invalid" }, /no host no-such-host\.invalid/, "Network"],
    [{ endpoint: s3.endpoint.replace("http:", "https:") }, /it does not speak TLS on that port/, "Network"],
  ];
  for (const [changes, message, code] of cases) {
    const error = await rejection(bucketOf(s3, changes).createUpload("x"));
    assert.match(error.message, message);
    assert.equal(error.code, code);
    assert.equal(error.message.includes("\n"), false);
    for (const secret of [s3.secretKey, wrong]) assert.equal(Deno.inspect(error).includes(secret), false);
  }
});

Deno.test("a server that is no S3 server is told as one", async () => {
  const page = () => new Response("<html><p>Welcome</html>");
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, page);
  const options = { region: null, bucket: "b", pathStyle: true, accessKey: "a", secretKey: "s" };
  const endpoint = `http://127.0.0.1:${server.addr.port}`;
  const bucket = new Bucket({ ...options, endpoint }, loopback, eager);
  const error = await rejection(bucket.createUpload("x"));
  assert.match(error.message, /the answer is not S3's\. Check the destination's endpoint/);
});

Deno.test("a check writes, reads back and deletes, and leaves nothing", async () => {
  await using s3 = await TestS3.open();
  const bucket = bucketOf(s3);
  const steps = await bucket.check("some/where");
  assert.deepEqual(steps.map(({ name, ok }) => [name, ok]), [
    ["connect", true],
    ["write", true],
    ["read back", true],
    ["delete", true],
  ]);
  assert.deepEqual(await Array.fromAsync(bucket.list("")), []);
});

Deno.test("a check stops at the step that fails and cleans up after it", async () => {
  await using s3 = await TestS3.open();
  const [step, ...others] = await bucketOf(s3, { bucket: "elsewhere" }).check();
  assert.deepEqual([step!.name, step!.ok, others.length], ["connect", false, 0]);
  assert.match(step!.message, /NoSuchBucket/);

  s3.fault = (call) => call.method === "PUT" ? { status: 507, code: "QuotaExceeded" } : null;
  const steps = await bucketOf(s3).check();
  assert.match(steps[1]!.message, /^Cannot write \S+: its quota is exhausted/);
  assert.deepEqual(steps.map(({ name, ok }) => [name, ok]), [["connect", true], ["write", false], [
    "clean up",
    true,
  ]]);
  assert.equal(Deno.inspect(steps).includes("X-Amz"), false);
  assert.deepEqual(await s3.openUploads(), []);
});

Deno.test("a 404 that is not S3's own deletes nothing", async () => {
  await using s3 = await TestS3.open();
  const bucket = bucketOf(s3);
  await bucket.put("x", "data");
  // Simulates an ingress whose S3 service is gone. The ingress responds to a HEAD without a body.
  s3.fault = () => ({ status: 404, page: "404 page not found" });
  const calls = [() => bucket.head("x"), () => bucket.remove("x"), () => bucket.abortUpload("x", "id")];
  for (const call of calls) {
    const error = await rejection(call());
    assert.match(error.message, /another program than an S3 service responded \(HTTP 404\)/);
    assert.equal(error.retryable, true);
  }
  // If the bucket is missing, S3 itself also responds to a HEAD with a 404 without a body. In this case, the
  // error must say `NoSuchBucket`.
  s3.fault = () => ({ status: 404, code: "NoSuchBucket" });
  assert.equal((await rejection(bucket.head("x"))).code, "NoSuchBucket");
  assert.equal((await rejection(bucket.remove("x"))).code, "NoSuchBucket");
  assert.equal((await rejection(bucket.abortUpload("x", "id"))).code, "NoSuchBucket");
  s3.fault = (call) => call.method === "HEAD" ? { status: 404, page: "" } : null;
  assert.equal((await rejection(bucket.remove("x"))).retryable, true);
  s3.fault = () => null;
  assert.equal(await bucket.head("x"), 4);
  assert.deepEqual(await bucket.remove("x"), { wasThere: true, kept: false });
  assert.deepEqual(await bucket.remove("x"), { wasThere: false, kept: false });
});

Deno.test("an upload counts as complete when its object is whole, whatever the answer was", async () => {
  await using s3 = await TestS3.open();
  const isCompletion = (call: S3Call) => call.method === "POST" && call.query.has("uploadId");
  const faulty: Record<string, S3Fault> = {
    "a page of a proxy": { status: 200, page: "<html>OK</html>", done: true },
    "nothing": { status: 200, page: "", done: true },
    "an error after the work": { status: 200, code: "InternalError", done: true },
    "a gateway's time-out": { status: 504, page: "Gateway Time-out", done: true },
    "a cut": "cut the answer",
  };
  for (const [name, fault] of Object.entries(faulty)) {
    s3.fault = (call) => isCompletion(call) ? fault : null;
    await upload(bucketOf(s3), name, "first ", "second");
    assert.equal(await bucketOf(s3).head(name), 12, name);
  }
  // While Amazon and others complete an upload, they send white space. They then send XML that reports
  // success.
  s3.fault = () => null;
  s3.altered = (call, body) => isCompletion(call) ? `\n  \n${body}` : body;
  await upload(bucketOf(s3), "late", "data");
  s3.altered = (_call, body) => body;
  for (const status of [200, 504]) {
    s3.fault = (call) => isCompletion(call) ? { status, page: "  " } : null;
    const error = await rejection(upload(bucketOf(s3), "absent", "data"));
    assert.equal(error.retryable, true);
    assert.equal(await bucketOf(s3).head("absent"), null);
  }
});

Deno.test("an object of another size does not prove a completion", async () => {
  await using s3 = await TestS3.open();
  const bucket = bucketOf(s3);
  await upload(bucket, "x", "first ", "second");
  const uploadId = await bucket.createUpload("x");
  s3.fault = (call) => call.method === "POST" ? { status: 504, page: "Gateway Time-out" } : null;
  const part = { partNumber: 1, etag: '"e"' };
  await rejection(bucket.completeUpload("x", uploadId, [part], 13));
  await bucket.completeUpload("x", uploadId, [part, part], 12);
});

Deno.test("a bucket with versions lets the versions go, and says where it keeps them", async () => {
  await using s3 = await TestS3.open();
  s3.isVersioned = true;
  const bucket = bucketOf(s3);
  await bucket.put("d/x", "data");
  assert.deepEqual(await bucket.remove("d/x"), { wasThere: true, kept: false });
  assert.deepEqual([...s3.kept], []);
  // The permission to list or delete versions is missing. So the deletion only hides the object, and the
  // result shows that a version is kept.
  const isVersion = (call: S3Call) => call.query.has("versionId");
  for (const isRefused of [isVersion, (call: S3Call) => call.query.has("versions")]) {
    await bucket.put("d/x", "data");
    s3.fault = (call) =>
      isRefused(call) ? { status: 403, code: "AccessDenied", message: "Access Denied" } : null;
    assert.deepEqual(await bucket.remove("d/x"), { wasThere: true, kept: true });
    assert.deepEqual([...s3.kept], ["d/x"]);
    s3.kept.clear();
  }
  const steps = await bucket.check();
  assert.match(
    steps.at(-1)!.message,
    /The bucket keeps its version: let the access key list and delete versions/,
  );
  // If object lock protects the object, the removal fails and does not hide the object. So the object's
  // backup stays complete.
  await bucket.put("d/x", "data");
  const message = "Access Denied because object protected by object lock.";
  s3.fault = (call) => isVersion(call) ? { status: 403, code: "AccessDenied", message } : null;
  const error = await rejection(bucket.remove("d/x"));
  assert.match(
    error.message,
    /the bucket keeps the object \(AccessDenied: Access Denied because object .*\)\. Wait/,
  );
  assert.equal(await bucket.head("d/x"), 4);
});

Deno.test("a refusal tells the service's reason, and what else may be wrong", async () => {
  await using s3 = await TestS3.open();
  const message = async (fault: S3Fault, changes: Partial<TestS3["options"]> = {}) => {
    s3.fault = () => fault;
    return (await rejection(bucketOf(s3, changes).get("x"))).message;
  };
  const denied = (text: string): S3Fault => ({ status: 403, code: "AccessDenied", message: text });
  assert.match(
    await message(denied("explicit deny in a bucket policy")),
    /AccessDenied: explicit deny in a bucket/,
  );
  assert.match(await message(denied("Access Denied.")), /\(AccessDenied\)\. Allow it/);
  const scope = { status: 400, code: "AuthorizationHeaderMalformed" };
  assert.match(
    await message({ ...scope, message: "the region 'us-east-1' is wrong; expecting 'eu-west-3'" }),
    /the bucket is in region eu-west-3 .*Set the destination's region to it/,
  );
  assert.match(
    await message({ ...scope, message: "unexpected scope" }),
    /\(AuthorizationHeaderMalformed: unexpected scope\)\. Check the destination's region/,
  );
  const redirect =
    `<Error><Code>TemporaryRedirect</Code><Endpoint>b.s3-ap-southeast-1.amazonaws.com</Endpoint></Error>`;
  assert.match(
    await message({ status: 307, page: redirect }),
    /is in region ap-southeast-1 \(TemporaryRedirect\)/,
  );
  const signature = { status: 403, code: "SignatureDoesNotMatch" };
  assert.match(await message(signature), /or the region is another: none is set, so us-east-1 was used/);
  assert.doesNotMatch(await message(signature, { region: "garage" }), /region/);
  // If the bucket's name is a part of the host name by mistake, the error names the setting for path style.
  const hostStyle = { pathStyle: false, endpoint: "https://minio.invalid" };
  assert.match(
    (await rejection(bucketOf(s3, hostStyle).get("x"))).message,
    /there is no host backups\.minio\.invalid\. .* Or set path_style_endpoint/,
  );
});
