/**
 * Sends requests to the given address in all the ways that the agent uses, and prints the results. Runs in a
 * process of its own, with the agent's permissions.
 */
import { Buffer } from "node:buffer";
import { PutConnections } from "../../../agent/engine/destinations/s3/put.ts";
import { sendStream } from "../../../agent/rpc/streams.ts";
import { systemClock } from "../../../src/domain/clock.ts";

const url = Deno.args[0]!;
const signal = new AbortController().signal;
const connections = new PutConnections();
const part = { body: Buffer.from("bytes"), md5: "md5" };
const put = await connections.put(`${url}/object`, part, {
  idleMs: 10_000,
  answerMs: 10_000,
  totalMs: 60_000,
}, signal);
connections.close();
const content = {
  size: 5,
  length: 5,
  async *bytes() {
    yield await Promise.resolve(Buffer.from("bytes"));
  },
};
const sent = await sendStream({ url, key: "key", clock: systemClock }, "stream", content, signal)
  .then(() => "sent", (error) => error.message);
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify({ put: put.kind, sent })));
