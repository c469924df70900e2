import assert from "node:assert/strict";
import { testApi } from "../../../tests/support/api.ts";

Deno.test("an agent's handshake goes through to whoever takes agents, and its socket stays open", async () => {
  await using api = await testApi({
    connectAgent(request) {
      const shown = request.headers.get("authorization");
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onmessage = ({ data }) => socket.send(`${shown}: ${data}`);
      return response;
    },
  });
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, api.app.fetch);
  const { port } = server.addr as Deno.NetAddr;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/agent/connect`, {
    headers: { Authorization: "Bearer rga_x" },
  });
  const answer = new Promise((resolve, reject) => {
    socket.onopen = () => socket.send("hello");
    socket.onmessage = ({ data }) => resolve(data);
    socket.onerror = reject;
  });
  assert.equal(await answer, "Bearer rga_x: hello");
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;
});

Deno.test("a process that takes no agents says so", async () => {
  await using api = await testApi();
  assert.equal((await api.app.request("/api/agent/connect")).status, 503);
});
