import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Frame, FrameSplitter } from "./frames.ts";

function frame(text: string, mask: number[] | null): Uint8Array {
  const payload = new TextEncoder().encode(text);
  const long = payload.length > 125;
  const head = [0x81, (mask === null ? 0 : 0x80) | (long ? 126 : payload.length)];
  if (long) head.push(payload.length >> 8, payload.length & 255);
  const bytes = mask === null ? payload : payload.map((byte, at) => byte ^ mask[at & 3]!);
  return new Uint8Array([...head, ...mask ?? [], ...bytes]);
}

Deno.test("frames come apart wherever the bytes are cut, and keep every byte", () => {
  const event = { type: "run.event", run_id: 1, attempt: 1, sequence: 2 };
  const sent = [
    frame(JSON.stringify({ type: "hello" }), [1, 2, 3, 4]),
    frame(JSON.stringify({ ...event, event: { kind: "output", text: "grün ".repeat(100) } }), [9, 8, 7, 6]),
    new Uint8Array([0x88, 0x02, 0x03, 0xe8]), // a close frame
    frame(JSON.stringify({ type: "ack" }), null),
    frame(JSON.stringify({ type: "ping" }), null),
  ];
  const all = Buffer.concat(sent);
  for (let step = 1; step < 40; step++) {
    const splitter = new FrameSplitter();
    const frames: Frame[] = [];
    for (let at = 0; at < all.length; at += step) frames.push(...splitter.push(all.subarray(at, at + step)));
    assert.deepEqual(frames.map(({ kind }) => kind), ["hello", "output", null, "ack", null]);
    assert.deepEqual(Buffer.concat(frames.map(({ bytes }) => bytes)), all);
  }
});
