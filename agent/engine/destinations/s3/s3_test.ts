import assert from "node:assert/strict";
import { BucketUploads } from "../../../../tests/support/fixtures/bucket_uploads.ts";
import { TestClock } from "../../../../tests/support/fixtures/clock.ts";
import { type S3Call, type S3Fault, TestS3 } from "../../../../tests/support/servers/s3.ts";
import { type Clock, systemClock } from "../../../../src/domain/clock.ts";
import { type Destination, RunFailedError } from "../../ports.ts";
import { S3Destination } from "./s3.ts";
import { S3Writer } from "./writer.ts";

const MIB = 2 ** 20;

/** A clock that does not wait between attempts. It counts the waits that were requested. */
class EagerClock implements Clock {
  waits = 0;
  now = () => systemClock.now();
  monotonic = () => systemClock.monotonic();
  sleep() {
    this.waits++;
    return Promise.resolve();
  }
}

/**
 * A clock on which each wait of less than a minute ends at once and advances the time. A longer wait ends
 * only when it is aborted.
 */
class PatientClock implements Clock {
  #waited = 0;
  now = () => systemClock.now();
  monotonic = () => this.#waited;
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms < 60_000) return Promise.resolve(void (this.#waited += ms));
    return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
  }
}

interface Setting extends AsyncDisposable {
  readonly s3: TestS3;
  readonly uploads: BucketUploads;
  readonly clock: EagerClock;
  readonly lines: string[];
  readonly destination: Destination;
}

async function setting(clock: Clock = new EagerClock()): Promise<Setting> {
  const s3 = await TestS3.open();
  const uploads = new BucketUploads(s3.options, "");
  const lines: string[] = [];
  const output = { line: (text: string) => void lines.push(text) };
  const ports = {
    clock,
    signal: new AbortController().signal,
    output,
    uploads,
    downloads: null,
    relay: null,
  };
  const destination = new S3Destination({ type: "s3", bucket: s3.bucket, directory: "" }, ports);
  return {
    s3,
    uploads,
    clock: clock as EagerClock,
    lines,
    destination,
    [Symbol.asyncDispose]: () => s3[Symbol.asyncDispose](),
  };
}

const isPart = (call: S3Call) => call.method === "PUT" && call.query.has("partNumber");

/**
 * Returns a handler of S3 calls: `fault` for the first `times` uploads of parts, null for all other calls.
 */
function partFaults(times: number, fault: S3Fault) {
  return (call: S3Call) => isPart(call) && times-- > 0 ? fault : null;
}

async function store({ destination }: Setting, size: number): Promise<void> {
  const writer = await destination.create("a.zst", null);
  const content = new Uint8Array(size).map((_, index) => index % 251);
  try {
    for (let at = 0; at < size; at += MIB) await writer.write(content.subarray(at, at + MIB));
    await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function reason(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof RunFailedError, Deno.inspect(error));
  assert.equal(error.message.includes("X-Amz"), false);
  return error.message;
}

Deno.test("parts have one size, and no more than two are on the way", async () => {
  await using t = await setting();
  let now = 0;
  let most = 0;
  t.s3.fault = (call) => {
    if (isPart(call)) most = Math.max(most, ++now);
    return null;
  };
  t.s3.answered = (call) => void (isPart(call) && now--);
  await store(t, 23 * MIB);
  const sizes = t.s3.calls.filter(isPart).map((call) => call.size).sort((a, b) => b - a);
  assert.deepEqual(sizes, [5, 5, 5, 5, 3].map((size) => size * MIB));
  assert.equal(most, 2);
});

Deno.test("a burst of errors is waited out, once told a part", async () => {
  for (
    const fault of [
      { status: 503, code: "SlowDown" },
      { status: 500, code: "InternalError" },
      { status: 429, code: "TooManyRequests" },
      "cut",
      "cut the answer",
    ] satisfies S3Fault[]
  ) {
    await using t = await setting();
    t.s3.fault = partFaults(3, fault);
    await store(t, 6 * MIB);
    assert.equal(await t.uploads.bucket.head("a.zst"), 6 * MIB);
    assert.equal(t.clock.waits, 3, Deno.inspect(fault));
    assert(t.lines.length === 1 || t.lines.length === 2, t.lines.join("\n"));
    assert.match(t.lines[0]!, /^Part \d did not get into bucket backups \(.+\); trying again$/);
    assert.equal(t.lines.join().includes("X-Amz"), false);
  }
});

Deno.test("a part that was damaged on its way is refused by the bucket and sent again", async () => {
  await using t = await setting();
  let damaged = 2;
  t.s3.damage = (call) => isPart(call) && damaged-- > 0;
  await store(t, 6 * MIB);
  assert(damaged < 0);
  assert.equal(t.s3.calls.filter(isPart).length, 4);
  const stored = await t.s3.read("a.zst");
  assert(stored.every((byte, index) => byte === (index % 251)));
});

Deno.test("a URL that ran out is signed anew", async () => {
  const clock = new TestClock(new Date(systemClock.now()));
  await using t = await setting(clock);
  t.uploads.expiresInMs = 300_000;
  const signed: number[] = [];
  let stored = 0;
  t.s3.answered = (call) => void (isPart(call) && stored++);
  const sign = t.uploads.sign.bind(t.uploads);
  t.uploads.sign = (uploadId, from, count) => {
    signed.push(from);
    return sign(uploadId, from, count);
  };
  const writer = await t.destination.create("a.zst", null);
  await writer.write(new Uint8Array(5 * MIB));
  // The bucket's clock is ahead of the agent's clock. So a URL can be valid by the agent's clock, while the
  // bucket refuses it as expired.
  let refusals = 1;
  t.s3.fault = (call) =>
    isPart(call) && call.query.get("partNumber") === "2" && refusals-- > 0
      ? { status: 403, code: "AccessDenied", message: "Request has expired" }
      : null;
  while (!t.s3.calls.some(isPart)) await new Promise((resolve) => setTimeout(resolve, 5));
  await clock.advance(100_000);
  await writer.write(new Uint8Array(5 * MIB));
  while (stored < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await clock.advance(400_000);
  await writer.write(new Uint8Array(5 * MIB));
  await writer.commit();
  assert.deepEqual(signed, [1, 2, 3]);
  assert.equal(await t.uploads.bucket.head("a.zst"), 15 * MIB);
});

Deno.test("a bucket that refuses for good fails the run with its reason and no URL", async () => {
  const cases: [S3Fault, RegExp][] = [
    [{ status: 403, code: "AccessDenied" }, /may not put objects there \(AccessDenied\)/],
    [{ status: 404, code: "NoSuchBucket" }, /bucket no longer exists \(NoSuchBucket\)/],
    [{ status: 404, code: "NoSuchUpload" }, /was aborted at the bucket \(NoSuchUpload\)/],
    [{ status: 507, code: "QuotaExceeded" }, /quota is exhausted/],
    [
      { status: 400, code: "InvalidArgument", message: "Part\nnumber &lt; 1" },
      /Part number .*\(InvalidArgument\)/,
    ],
  ];
  for (const [fault, expected] of cases) {
    await using t = await setting();
    t.s3.fault = partFaults(100, fault);
    const message = await reason(store(t, 12 * MIB));
    assert.match(message, /^Cannot upload to bucket backups: [^\n]+$/);
    assert.match(message, expected);
    t.s3.fault = () => null;
    assert.deepEqual(await t.s3.openUploads(), []);
  }
});

Deno.test("an answer of something in front of the bucket is waited out", async () => {
  const pages: S3Fault[] = [
    { status: 404, page: "404 page not found" },
    { status: 403, page: "<html>Request blocked</html>" },
    { status: 302, page: "" },
    { status: 200, page: "<html>Maintenance</html>" },
  ];
  for (const fault of pages) {
    await using t = await setting();
    t.s3.fault = partFaults(3, fault);
    await store(t, 6 * MIB);
    assert.equal(await t.uploads.bucket.head("a.zst"), 6 * MIB);
    assert.match(t.lines[0]!, /\((another program than an S3 service|it responds with 200, but not in S3)/);
  }
  await using t = await setting(new PatientClock());
  t.s3.fault = partFaults(Infinity, pages[1]!);
  assert.match(await reason(store(t, 6 * MIB)), /another program than an S3 service .*\(HTTP 403\), such as/);
});

Deno.test("a proxy that takes no body as large as a part fails the run at once, and is named", async () => {
  await using t = await setting();
  t.s3.fault = partFaults(Infinity, { status: 413, page: "<html>413 Request Entity Too Large</html>" });
  assert.match(await reason(store(t, 6 * MIB)), /\(HTTP 413\)\. Raise its limit: client_max_body_size 0/);
  assert.equal(t.clock.waits, 0);
});

Deno.test("an access key that is replaced during an upload costs no run", async () => {
  await using t = await setting(new PatientClock());
  let stored = 0;
  t.s3.answered = (call) => void (isPart(call) && stored++);
  let refused = 0;
  t.s3.fault = (call) =>
    isPart(call) && stored >= 2 && refused++ < 5 ? { status: 403, code: "InvalidAccessKeyId" } : null;
  const signed: number[] = [];
  const { sign } = t.uploads;
  t.uploads.sign = (...asked) => {
    signed.push(asked[1]);
    return sign.apply(t.uploads, asked);
  };
  await store(t, 22 * MIB);
  assert.ok(refused > 5);
  // The old key was refused, so the agent requested new URLs. The control plane signs new URLs with the
  // destination's current key.
  assert.ok(signed.length >= 4, String(signed));
  assert.equal(await t.uploads.bucket.head("a.zst"), 22 * MIB);
});

Deno.test("a bucket that stays away fails the run when its patience ends", async () => {
  const clock = new TestClock(new Date(systemClock.now()));
  await using t = await setting(clock);
  t.s3.fault = partFaults(Infinity, { status: 503, code: "SlowDown" });
  const failed = reason(store(t, 6 * MIB));
  let isOver = false;
  failed.finally(() => isOver = true);
  let waited = 0;
  while (!isOver) {
    if (clock.sleeping > 0) {
      await clock.advance(30_000);
      waited += 30_000;
    } else await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.match(await failed, /SlowDown/);
  assert(waited >= 15 * 60_000 && waited <= 20 * 60_000, String(waited));
});

Deno.test("an object that outgrows its parts fails and says what comes next", async () => {
  await using t = await setting();
  const upload = await t.uploads.open("a.zst");
  const ports = {
    clock: t.clock,
    signal: new AbortController().signal,
    output: null,
    uploads: t.uploads,
    downloads: null,
    relay: null,
  };
  const writer = new S3Writer({ name: "a.zst", bucket: "bucket backups" }, upload, t.uploads, ports, 2);
  await writer.write(new Uint8Array(10 * MIB));
  const message = await reason(writer.write(new Uint8Array(5 * MIB)).then(() => writer.commit()));
  assert.match(
    message,
    /^Cannot upload a\.zst: it grew beyond 2 parts of 5 MiB .* its next upload uses larger parts\.$/,
  );
  await writer.abort();
  assert.deepEqual(await t.s3.openUploads(), []);
});

Deno.test("a stored size that is not the sent one fails the run", async () => {
  await using t = await setting();
  t.uploads.complete = () => Promise.resolve({ size: 1 });
  assert.match(await reason(store(t, 10)), /Cannot trust a\.zst: bucket backups stored 1 bytes of the 10/);
});

Deno.test("removing what this run uploaded takes the object away; others are the control plane's", async () => {
  await using t = await setting();
  await store(t, 10);
  await t.destination.remove("a.zst");
  assert.equal(await t.uploads.bucket.head("a.zst"), null);
  assert.match(await reason(t.destination.remove("b.zst")), /only the control plane can/);
});

Deno.test("reading goes on at the byte while the bucket is away for half a minute, and says what it waits for", async () => {
  await using t = await setting();
  await t.uploads.bucket.put("a.zst", "0123456789");
  const clock = new PatientClock();
  const downloads = t.uploads.downloads;
  const signal = new AbortController().signal;
  const output = { line: (text: string) => void t.lines.push(text) };
  const ports = { clock, signal, output, uploads: null, downloads, relay: null };
  const reading = new S3Destination({ type: "s3", bucket: t.s3.bucket, directory: "" }, ports);
  const isAway = () => clock.monotonic() < 30_000;
  t.s3.fault = () => isAway() ? "cut" : null;
  let text = "";
  for await (const chunk of reading.read("a.zst", 3, 10)) text += new TextDecoder().decode(chunk);
  assert.equal(text, "3456789");
  assert.deepEqual(t.lines, ["Waiting for a.zst from bucket backups: the connection failed"]);
  // An error page of a proxy in front of the bucket is a transient failure: the agent asks again.
  const later = clock.monotonic() + 60_000;
  t.s3.fault = () => clock.monotonic() < later ? { status: 404, page: "404 page not found" } : null;
  assert.equal(await reading.size("a.zst"), 10);
  for (const status of [403, 416]) {
    const then = clock.monotonic() + 60_000;
    t.s3.fault = () => clock.monotonic() < then ? { status, page: "<html>Blocked</html>" } : null;
    assert.equal(await reading.size("a.zst"), 10);
  }
  // A response that ignores the requested range is a transient failure, too. Here, the first two responses
  // are a whole object.
  let whole = 0;
  t.s3.fault = () => whole++ < 2 ? { status: 200, page: "x".repeat(32 * MIB) } : null;
  assert.equal(await reading.size("a.zst"), 10);
  // A refusal by the bucket itself is final: the agent does not ask again.
  t.s3.fault = () => ({ status: 403, code: "AccessDenied", message: "Denied by a bucket policy" });
  assert.match(await reason(reading.size("a.zst")), /it answers 403 AccessDenied: Denied by a bucket policy/);
});
