import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Client } from "ssh2";
import { TestClock } from "../../../../tests/support/fixtures/clock.ts";
import { ConnectionLostError, SftpRequests } from "./requests.ts";

const IDLE = 60_000;

function connected() {
  const client = new EventEmitter();
  const clock = new TestClock();
  const signal = new AbortController().signal;
  return { client, clock, requests: new SftpRequests(client as unknown as Client, clock, IDLE, signal) };
}

/** Returns a request that throws at once, as ssh2 does. */
function throwing(message: string): () => void {
  return () => {
    throw new Error(message);
  };
}

Deno.test("a request that the SSH library refuses at once rejects, and nothing else does when the connection ends", async () => {
  const { client, requests } = connected();
  // An unhandled rejection would end the agent. It also fails this test.
  await assert.rejects(
    requests.send(throwing("Server does not support this extended request")),
    /does not support/,
  );
  client.emit("close");
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(requests.isLost, true);
});

Deno.test("a request that begins on a connection that has just ended finds it lost", async () => {
  const { requests } = connected();
  await assert.rejects(requests.send(throwing("Not connected")), ConnectionLostError);
  await assert.rejects(requests.send(throwing("Not connected")), ConnectionLostError);
});

Deno.test("a request that was refused at once lets no connection pass for silent", async () => {
  const { client, clock, requests } = connected();
  await assert.rejects(requests.send(throwing("Server does not support this extended request")));
  await clock.advance(2 * IDLE);
  assert.equal(requests.isLost, false);
  client.emit("close");
});
