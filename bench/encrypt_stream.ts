/**
 * Encrypts 1 GiB to a recipient as a run does, and discards the result. Prints `{"seconds": …, "grown": …}`,
 * where `grown` is the maximum growth of memory in bytes.
 *
 *     deno run -A bench/encrypt_stream.ts
 */
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { Children } from "../agent/engine/programs/children.ts";
import { encryptTo, makeFileKey } from "../agent/engine/transforms/encrypt.ts";
import { systemClock } from "../src/domain/clock.ts";

const CHUNK = new Uint8Array(1024 * 1024);
const CHUNKS = 1024;

await using children = new Children(systemClock, new AbortController().signal);
const recipient = await identityToRecipient(await generateX25519Identity());
const nothing = { write: () => Promise.resolve(), end: () => Promise.resolve() };
const sink = await encryptTo(
  nothing,
  await makeFileKey({ type: "recipients", recipients: [recipient] }, children),
);
for (let at = 0; at < 32; at++) await sink.write(CHUNK);
const before = Deno.memoryUsage().rss;
let most = before;
const start = performance.now();
for (let at = 0; at < CHUNKS; at++) {
  await sink.write(CHUNK);
  if (at % 16 === 0) most = Math.max(most, Deno.memoryUsage().rss);
}
await sink.end();
const seconds = (performance.now() - start) / 1000;
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify({ seconds, grown: most - before })));
