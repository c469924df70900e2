/**
 * Floods a control plane from an agent's socket. Runs as a process of its own:
 *
 *     deno run --allow-net tests/support/servers/flood.ts URL KEY (frame|events) MEGABYTES
 *
 * - `frame` sends one frame of MEGABYTES.
 * - `events` connects as an agent, and prints a line once the control plane has welcomed it. Then waits for
 *   the end of standard input, and sends MEGABYTES of events.
 *
 * Stops early if the control plane closes the connection. At the end, prints how many megabytes were sent.
 */
import { HELLO } from "../clients/raw_agent.ts";

const [url, key, kind, megabytes] = Deno.args as [string, string, "frame" | "events", string];
const { hostname, port } = new URL(url);
const connection = await Deno.connect({ hostname, port: Number(port) });
const text = new TextEncoder();
const MEGABYTE = new Uint8Array(1e6).fill("x".charCodeAt(0));
const limit = Number(megabytes);

const FINAL = 0x80;
const TEXT = 0x1;

/**
 * Returns the header of a frame, see RFC 6455, section 5.2. The mask is zero, so the bytes stay as they are.
 */
function head(flags: number, size: number): Uint8Array {
  const bytes = new Uint8Array(14);
  bytes[0] = flags;
  bytes[1] = 0x80 | 127;
  new DataView(bytes.buffer).setBigUint64(2, BigInt(size));
  return bytes;
}

async function write(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

async function frame(flags: number, payload: Uint8Array): Promise<void> {
  await write(head(flags, payload.length));
  await write(payload);
}

await write(text.encode(
  `GET /api/agent/connect HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${key}\r\n` +
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
));
const answer = new Uint8Array(4096);
await connection.read(answer);
if (!new TextDecoder().decode(answer).startsWith("HTTP/1.1 101")) {
  throw new Error("The socket was not opened");
}
const welcomed = Promise.withResolvers<void>();
// Read everything that arrives, so that the control plane is not blocked.
const reading = (async () => {
  const buffer = new Uint8Array(65536);
  for (let length; (length = await connection.read(buffer)) !== null;) {
    if (new TextDecoder().decode(buffer.subarray(0, length)).includes('"welcome"')) welcomed.resolve();
  }
})().catch(() => {});

let sent = 0;
try {
  switch (kind) {
    case "frame":
      await write(head(FINAL | TEXT, limit * MEGABYTE.length));
      for (; sent < limit; sent++) await write(MEGABYTE);
      break;
    case "events": {
      await frame(FINAL | TEXT, text.encode(JSON.stringify(HELLO)));
      await welcomed.promise;
      Deno.stdout.writeSync(text.encode("welcomed\n"));
      for await (const _ of Deno.stdin.readable);
      const output = "x".repeat(100_000);
      for (let sequence = 1; sent < limit; sequence++, sent += 0.1) {
        const event = {
          type: "run.event",
          run_id: 1,
          attempt: 1,
          sequence,
          at: new Date().toISOString(),
          event: { kind: "output", text: output },
        };
        await frame(FINAL | TEXT, text.encode(JSON.stringify(event)));
      }
    }
  }
} catch (error) {
  if (!(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset)) throw error;
}
connection.close();
await reading;
Deno.stdout.writeSync(text.encode(String(Math.round(sent))));
