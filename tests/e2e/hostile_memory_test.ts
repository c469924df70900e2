/** Tests how much of a control plane's memory one agent's key can occupy. */
import assert from "node:assert/strict";
import { createEnrolmentToken, enrolAgent } from "../../src/services/servers/enrolment.ts";
import { testAlone } from "../support/alone.ts";
import { serve } from "../support/servers/control_plane.ts";
import { onSystemClock, testServices } from "../support/fixtures/database.ts";
import { AGENT, plant } from "../support/fixtures/planted.ts";
import { RawAgent } from "../support/clients/raw_agent.ts";

const FLOOD = new URL("../support/servers/flood.ts", import.meta.url).pathname;
/** Megabytes that one socket sends, and megabytes by which the control plane's memory is allowed to grow. */
const SENT = 600;
const KEPT = 300;

testAlone(import.meta.url, "a flood of bytes is not kept", async () => {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await testServices());
  const { services } = stack.use(onSystemClock(test.services));
  const { url } = await serve(services, stack);
  const { caller, serverId } = await plant(services);
  const { token } = await createEnrolmentToken(services, caller, serverId, 60);
  const { agentKey } = await enrolAgent(services, token, AGENT);
  // Messages that consist of endless fragments are not tested, because Deno 2.9.6 collects fragments without
  // a limit. SECURITY.md describes this problem. denoland/fastwebsockets#140 adds a limit.
  for (const kind of ["frame", "events"]) {
    // Until `held` is resolved, no event of the agent can be stored.
    const held = Promise.withResolvers<void>();
    const before = Deno.memoryUsage().rss;
    let peak = before;
    const timer = setInterval(() => peak = Math.max(peak, Deno.memoryUsage().rss), 10);
    const flood = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-check", FLOOD, url, agentKey, kind, String(SENT)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    let said = "";
    let lock: Promise<void> | null = null;
    for await (const text of flood.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (lock !== null || !said.startsWith("welcomed\n")) continue;
      const locked = Promise.withResolvers<void>();
      lock = services.database.begin(async (sql) => {
        await sql`lock table runs in exclusive mode`;
        locked.resolve();
        await held.promise;
      });
      await locked.promise;
      await flood.stdin.close();
    }
    const { success } = await flood.status;
    clearInterval(timer);
    held.resolve();
    await lock;
    assert.ok(success);
    const grown = (peak - before) / 1e6;
    const sent = said.split("\n").at(-1);
    assert.ok(grown < KEPT, `${kind}: ${grown.toFixed(0)} MB of ${sent} MB`);
    using agent = await RawAgent.connect(url, agentKey);
    assert.equal((await agent.ask({ type: "upload.abort", upload_id: "x" })).type, "upload.refused");
  }
});
