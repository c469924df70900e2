import assert from "node:assert/strict";
import { hurriedClock, keepAwake } from "../../tests/support/fixtures/hurried_clock.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { fetchExport } from "./run_exports.ts";

/** A clock that runs 600 times as fast, so that a minute takes a tenth of a second. */
const clock = hurriedClock(600);

function serveChunks(chunks: number, pauseMs: number) {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    let left = chunks;
    const body = new ReadableStream({
      async pull(controller) {
        if (left-- === 0) return controller.close();
        await systemClock.sleep(pauseMs);
        controller.enqueue(new Uint8Array(200_000));
      },
    });
    return new Response(body);
  });
}

Deno.test("an export waits for an offline destination, but fails if the control plane sends nothing", async () => {
  using _awake = keepAwake();
  const { signal } = new AbortController();
  await using server = serveChunks(3, 10);
  const source = { url: `http://127.0.0.1:${server.addr.port}`, key: "k", clock };
  let bytes = 0;
  for await (const chunk of fetchExport(source, { runId: 1, attempt: 1 }, signal)) {
    if (bytes === 0) await clock.sleep(15 * 60_000);
    bytes += chunk.length;
  }
  assert.equal(bytes, 600_000);
  await using silent = serveChunks(3, 2_000);
  const reading = Array.fromAsync(
    fetchExport({ ...source, url: `http://127.0.0.1:${silent.addr.port}` }, { runId: 1, attempt: 1 }, signal),
  );
  await assert.rejects(reading, /nothing came for 300 s/);
});
