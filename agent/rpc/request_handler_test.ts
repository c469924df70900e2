import assert from "node:assert/strict";
import { FreezableMount } from "../../tests/support/fixtures/tmpfs.ts";
import { keepAwake } from "../../tests/support/fixtures/hurried_clock.ts";
import { systemClock } from "../../src/domain/clock.ts";
import type { AgentMessage } from "../../src/protocol/wire_messages.ts";
import { RequestHandler } from "./request_handler.ts";

Deno.test(
  "requests that an unresponsive disk blocks are answered at their deadline and free their slots",
  {
    ignore: Deno.uid() !== 0,
  },
  async () => {
    using _awake = keepAwake();
    await using stack = new AsyncDisposableStack();
    const root = await Deno.makeTempDir({ prefix: "rearguard-requests-" });
    stack.defer(() => Deno.remove(root, { recursive: true }));
    await Deno.mkdir(`${root}/real`);
    const mount = stack.use(await FreezableMount.open(`${root}/real`, `${root}/seen`));
    const answers = new Map<string, AgentMessage & { type: "response" }>();
    const stream = { url: "http://127.0.0.1", key: "", clock: systemClock };
    const requests = new RequestHandler(stream, (message) => {
      if (message.type === "response") answers.set(message.request_id, message);
      return true;
    });
    const check = (id: string, directory: string, timeout_ms: number) =>
      requests.take({
        type: "request",
        request_id: id,
        timeout_ms,
        request: { kind: "destination.check", destination: { type: "local", directory } },
      });
    mount.freeze();
    // Send as many requests as the agent handles at the same time. Each request has a directory of its own,
    // so that no request waits for another.
    const held = Array.from(
      { length: 16 },
      (_, index) => check(`held ${index}`, `${mount.path}/${index}`, 500),
    );
    await check("one too many", `${root}/real`, 500);
    assert.match(JSON.stringify(answers.get("one too many")), /handling too many requests/);
    await Promise.all(held);
    assert.match(JSON.stringify(answers.get("held 0")), /It took longer than 0\.5 s/);
    await check("next", `${root}/real`, 10_000);
    const next = answers.get("next")!;
    assert.ok(next.ok && (next.result as { ok: boolean }).ok, JSON.stringify(next));
  },
);
