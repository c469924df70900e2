import assert from "node:assert/strict";
import { systemClock } from "../../src/domain/clock.ts";
import { sendStream } from "./streams.ts";

/**
 * Starts a server that responds with each of `statuses` once. `taken` lists the requests that it received,
 * `connections` the ports of its clients.
 */
function server(statuses: number[]) {
  const taken: string[] = [];
  const connections = new Set<number>();
  const listening = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request, { remoteAddr }) => {
      connections.add(remoteAddr.port);
      const status = statuses.shift()!;
      if (status !== 200) {
        // Read the whole body, so that the client could use the connection again. The test checks that the
        // client opens a new connection all the same.
        await request.body?.pipeTo(new WritableStream());
        return new Response(null, { status });
      }
      const headers = ["x-stream-size", "content-length"].map((name) => request.headers.get(name));
      taken.push([new URL(request.url).pathname, ...headers, await request.text()].join(" "));
      return new Response(null);
    },
  );
  return { listening, taken, connections, url: `http://127.0.0.1:${listening.addr.port}/` };
}

async function* hello() {
  yield* [new TextEncoder().encode("hel"), new TextEncoder().encode("lo")];
}

function send(url: string) {
  return sendStream(
    { url, key: "k", clock: systemClock },
    "s1",
    { size: 7, length: 5, bytes: hello },
    new AbortController().signal,
  );
}

Deno.test("bytes are sent again from the start until they reach the control plane that waits for them", async () => {
  const { listening, taken, connections, url } = server([421, 421, 200]);
  await send(url);
  // Each attempt must use a new connection, because a load balancer sends all requests of one connection to
  // the same control plane.
  assert.equal(connections.size, 3);
  assert.deepEqual(taken, ["/api/agent/streams/s1 7 5 hello"]);
  await listening.shutdown();
});

Deno.test("sending stops when the download is over", async () => {
  const { listening, url } = server([409]);
  await assert.rejects(send(url), /the control plane responds with 409/);
  await listening.shutdown();
});

Deno.test("sending of endless bytes stops when the download is abandoned", async () => {
  let given = 0;
  async function* endless() {
    for (;;) {
      given += 65536;
      yield new Uint8Array(65536);
    }
  }
  for (const status of [409, 421]) {
    const listening = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      () => new Response(null, { status }),
    );
    const url = `http://127.0.0.1:${listening.addr.port}`;
    const bytes = { size: 1e12, length: 1e12, bytes: endless };
    const over = new AbortController();
    const clock = { ...systemClock, sleep: () => Promise.resolve(over.abort(new Error("tried again"))) };
    const sent = sendStream({ url, key: "k", clock }, "s1", bytes, over.signal);
    await assert.rejects(sent, status === 409 ? /the control plane responds with 409/ : /tried again/);
    await listening.shutdown();
  }
  assert(given < 1e9, `${given} bytes`);
});

Deno.test("a slow receiver limits how many bytes are in transit", async () => {
  let given = 0;
  let taken = 0;
  async function* counted() {
    for (; given < 200_000_000; given += 65536) yield new Uint8Array(65536);
  }
  const listening = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    for await (const chunk of request.body!) {
      taken += chunk.length;
      if (taken > 50_000_000) break;
      // Give the sender time. Bytes that arrive meanwhile wait in memory or in the socket.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return new Response(null, { status: 409 });
  });
  const bytes = { size: 200_000_000, length: 200_000_000, bytes: counted };
  const url = `http://127.0.0.1:${listening.addr.port}`;
  const options = { url, key: "k", clock: systemClock };
  await assert.rejects(sendStream(options, "s1", bytes, new AbortController().signal));
  await listening.shutdown();
  assert(given < 60_000_000, `${given} given, ${taken} taken`);
});
