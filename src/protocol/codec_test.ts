import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeAgentMessage, decodeServerMessage, encode, MAX_FRAME, ProtocolError } from "./codec.ts";
import { type AgentMessage, instructionOf } from "./wire_messages.ts";
import { negotiate, PROTOCOL_VERSION } from "./version.ts";

const event: AgentMessage = {
  type: "run.event",
  run_id: 3,
  attempt: 1,
  sequence: 9,
  at: "2026-01-01T00:00:00.000Z",
  event: { kind: "output", text: "a line\n" },
};

Deno.test("a message is unchanged by encoding and decoding", () => {
  assert.deepEqual(decodeAgentMessage(encode(event)), { known: true, message: event });
});

Deno.test("an unknown type is reported, not refused", () => {
  assert.deepEqual(decodeServerMessage('{"type":"later","x":1}'), { known: false, type: "later" });
});

Deno.test("an invalid frame is refused with one line that names the fault", () => {
  for (
    const [frame, text] of [
      ["{", /not JSON/],
      ["[]", /no type/],
      ["null", /no type/],
      ['{"type":7}', /no type/],
      ['{"type":"run.event","run_id":"x"}', /run\.event message: run_id/],
      [`"${"a".repeat(MAX_FRAME)}"`, /characters/],
      [new Uint8Array(3), /not text/],
    ] as const
  ) {
    assert.throws(() => decodeAgentMessage(frame), (error) => {
      assert.ok(error instanceof ProtocolError);
      assert.match(error.message, text);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }
});

Deno.test("a welcome has an instruction for each run, under either name", () => {
  const welcome = (run: object) => ({
    type: "welcome",
    protocol: 4,
    server_time: "2026-01-01T00:00:00.000Z",
    heartbeat_ms: 20_000,
    remote_server: { id: 2, label: "web1" },
    runs: [{ run_id: 7, attempt: 1, acknowledged: 12, ...run }],
  });
  for (const run of [{ instruction: "cancel" }, { verdict: "cancel" }]) {
    const decoded = decodeServerMessage(JSON.stringify(welcome(run)));
    assert.ok(decoded.known && decoded.message.type === "welcome");
    assert.deepEqual(decoded.message.runs.map(instructionOf), ["cancel"]);
  }
  assert.throws(() => decodeServerMessage(JSON.stringify(welcome({}))), /instruction: is missing/);
});

Deno.test("no text makes the codec fail in another way", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.constant(encode(event))), fc.nat(), (text, cut) => {
      for (const frame of [text, text.slice(0, cut % (text.length + 1))]) {
        try {
          decodeAgentMessage(frame);
          decodeServerMessage(frame);
        } catch (error) {
          assert.ok(error instanceof ProtocolError);
        }
      }
    }),
  );
});

Deno.test("the highest version that both sides speak is negotiated, or none", () => {
  assert.equal(negotiate({ min: 1, max: 99 }), PROTOCOL_VERSION);
  assert.equal(negotiate({ min: PROTOCOL_VERSION + 1, max: PROTOCOL_VERSION + 3 }), null);
  assert.equal(negotiate({ min: 0, max: 0 }), null);
});
