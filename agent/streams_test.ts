import assert from "node:assert/strict";
import { systemClock } from "../src/domain/clock.ts";
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
      taken.push(
        `${new URL(request.url).pathname} ${request.headers.get("x-stream-size")} ${await request.text()}`,
      );
      return new Response(null);
    },
  );
  return { listening, taken, connections, url: `http://127.0.0.1:${listening.addr.port}/` };
}

async function* hello() {
  yield* [new TextEncoder().encode("hel"), new TextEncoder().encode("lo")];
}

function send(url: string) {
  return sendStream({ url, key: "k", clock: systemClock }, "s1", 5, hello, new AbortController().signal);
}

Deno.test("bytes find the control plane that waits for them, and are begun anew for each", async () => {
  const { listening, taken, connections, url } = server([421, 421, 200]);
  await send(url);
  // A balancer sends all of one connection to the same control plane.
  assert.equal(connections.size, 3);
  assert.deepEqual(taken, ["/api/agent/streams/s1 5 hello"]);
  await listening.shutdown();
});

Deno.test("a download that is over ends the sending", async () => {
  const { listening, url } = server([409]);
  await assert.rejects(send(url), /the control plane answers 409/);
  await listening.shutdown();
});
