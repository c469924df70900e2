import assert from "node:assert/strict";
import { testServices } from "../../tests/support/database.ts";
import { serve } from "../../tests/support/control_plane.ts";
import { AGENT, plant } from "../../tests/support/planted.ts";
import { createEnrolmentToken, enrolAgent } from "../services/enrolment.ts";

Deno.test("a broken frame closes its socket, whatever it names, and nothing else", async () => {
  await using stack = new AsyncDisposableStack();
  const { services } = stack.use(await testServices());
  const { url } = await serve(services, stack);
  const { caller, serverId } = await plant(services);
  const { token } = await createEnrolmentToken(services, caller, serverId, 60);
  const { agentKey } = await enrolAgent(services, token, AGENT);
  for (const name of ["☂".repeat(1000), "a\nb", "\ud800"]) {
    const hello = {
      type: "hello",
      protocol: { min: 1, max: 2 },
      agent: { ...AGENT, tools: { [name]: 1 } },
      runs: [],
    };
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/agent/connect`, {
      headers: { authorization: `Bearer ${agentKey}` },
    });
    const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
    socket.onopen = () => socket.send(JSON.stringify(hello));
    const { code, reason } = await closed;
    assert.equal(code, 4400);
    assert.match(reason, /^Cannot read a hello message: agent\.tools/);
    assert.equal((await (await fetch(`${url}/healthz`)).json()).status, "ok");
  }
});
