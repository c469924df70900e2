import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../../../src/domain/clock.ts";
import { RunFailedError } from "../../ports.ts";
import { s3Reader } from "./reader.ts";

/** A clock that does not wait between attempts, and on which nothing times out. */
const EAGER: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  sleep: (ms, signal) => ms <= 8000 ? Promise.resolve() : systemClock.sleep(ms, signal),
};

const REFUSED = () => new Response("<Error><Code>InvalidAccessKeyId</Code></Error>", { status: 403 });

/**
 * Responds to a range request with the bytes from the range's first byte on. If there are more than `length`
 * bytes, the connection breaks after `length` bytes.
 */
function part(request: Request, length = 10): Response {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.get("range") ?? "")?.[1]);
  const bytes = new TextEncoder().encode("0123456789").subarray(from);
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.subarray(0, length));
      if (length < bytes.length) controller.error(new Error("cut"));
      else controller.close();
    },
  });
  return new Response(body, { status: 206, headers: { "content-range": `bytes ${from}-9/10` } });
}

async function read(
  ...answers: ((request: Request) => Response)[]
): Promise<{ text: string; signed: number }> {
  const serving = answers.values();
  await using server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
      onError: () => new Response(null, { status: 500 }),
    },
    (request) => serving.next().value!(request),
  );
  let signed = 0;
  const sign = () => {
    signed++;
    return Promise.resolve({ url: `http://127.0.0.1:${server.addr.port}/`, expiresInMs: 3_600_000 });
  };
  const reader = s3Reader("a.zst", "bucket b", {
    clock: EAGER,
    signal: new AbortController().signal,
    downloads: { sign },
    output: null,
    limits: { idleMs: 60_000, patienceMs: 900_000 },
  });
  let text = "";
  for await (const chunk of reader.read(0, 10)) text += new TextDecoder().decode(chunk);
  return { text, signed };
}

Deno.test("an access key that is replaced during a restore costs no run", async () => {
  const refusals = Array.from({ length: 8 }, () => REFUSED);
  const { text, signed } = await read((request) => part(request, 3), ...refusals, part);
  assert.equal(text, "0123456789");
  assert.equal(signed, 9);
});

Deno.test("an access key that was never good fails the read soon", async () => {
  await assert.rejects(read(REFUSED, REFUSED, REFUSED, REFUSED), RunFailedError);
});
