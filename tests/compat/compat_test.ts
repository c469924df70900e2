/** Tests that messages of older peers are decoded with the same meaning. */
import assert from "node:assert/strict";
import { decodeAgentMessage, decodeServerMessage } from "../../src/protocol/codec.ts";
import { AgentMessage, ServerMessage } from "../../src/protocol/wire_messages.ts";
import { PROTOCOL_MIN, PROTOCOL_VERSION } from "../../src/protocol/version.ts";

const decoders = { agent: decodeAgentMessage, server: decodeServerMessage };
const unions = { agent: AgentMessage, server: ServerMessage };

for (let version = PROTOCOL_MIN; version <= PROTOCOL_VERSION; version++) {
  for (const side of ["agent", "server"] as const) {
    Deno.test(`every ${side} message of protocol ${version} is read`, async () => {
      const text = await Deno.readTextFile(new URL(`v${version}_${side}.jsonl`, import.meta.url));
      const seen = new Set<string>();
      for (const line of text.trimEnd().split("\n")) {
        const decoded = decoders[side](line);
        assert.ok(decoded.known, line);
        assert.deepEqual(decoded.message, JSON.parse(line));
        seen.add(decoded.message.type);
      }
      if (version !== PROTOCOL_VERSION) return;
      const types = unions[side].options.map((option) => option.shape.type.value);
      assert.deepEqual([...seen].sort(), [...types].sort(), "a message type has no golden line");
    });
  }
}
