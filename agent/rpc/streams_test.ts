import assert from "node:assert/strict";
import { systemClock } from "../../src/domain/clock.ts";
import { sendStream } from "./streams.ts";

/** Answers with these in turn. `taken`: what was sent. `connections`: how many it came by. */
function server(statuses: number[]) {
  const taken: string[] = [];
  const connections = new Set<number>();
  const listening = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request, { remoteAddr }) => {
      connections.add(remoteAddr.port);
      const status = statuses.shift()!;
      if (status !== 200) {
        // Read to its end, it leaves the connection to the next request.
        await request.body?.pipeTo(new WritableStream());
        return new Response(null, { status });
      }
      const told = ["x-stream-size", "content-length"].map((name) => request.headers.get(name));
      taken.push([new URL(request.url).pathname, ...told, await request.text()].join(" "));
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

Deno.test("bytes find the control plane that waits for them, and are begun anew for each", async () => {
  const { listening, taken, connections, url } = server([421, 421, 200]);
  await send(url);
  // A balancer sends all of one connection to the same control plane.
  assert.equal(connections.size, 3);
  assert.deepEqual(taken, ["/api/agent/streams/s1 7 5 hello"]);
  await listening.shutdown();
});

Deno.test("a download that is over ends the sending", async () => {
  const { listening, url } = server([409]);
  await assert.rejects(send(url), /the control plane answers 409/);
  await listening.shutdown();
});

Deno.test("a download that is left ends the sending, however much there is", async () => {
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
    await assert.rejects(sent, status === 409 ? /the control plane answers 409/ : /tried again/);
    await listening.shutdown();
  }
  assert(given < 1e9, `${given} bytes`);
});

Deno.test("no more is under way than a little, however slowly it is taken", async () => {
  let given = 0;
  let taken = 0;
  async function* noted() {
    for (; given < 200_000_000; given += 65536) yield new Uint8Array(65536);
  }
  const listening = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    for await (const chunk of request.body!) {
      taken += chunk.length;
      if (taken > 50_000_000) break;
      // What came meanwhile lies in memory, or in the socket.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return new Response(null, { status: 409 });
  });
  const bytes = { size: 200_000_000, length: 200_000_000, bytes: noted };
  const url = `http://127.0.0.1:${listening.addr.port}`;
  const options = { url, key: "k", clock: systemClock };
  await assert.rejects(sendStream(options, "s1", bytes, new AbortController().signal));
  await listening.shutdown();
  assert(given < 60_000_000, `${given} given, ${taken} taken`);
});
