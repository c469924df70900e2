import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newServer } from "../../../../tests/support/fixtures/records.ts";

Deno.test("an agent's handshake is passed to connectAgent, and its socket stays open", async () => {
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

Deno.test("a process without connectAgent refuses agents", async () => {
  await using api = await testApi();
  assert.equal((await api.app.request("/api/agent/connect")).status, 503);
});

Deno.test("bytes that no download waits for, or without a length, are not read", async () => {
  await using api = await testApi();
  const client = await api.user();
  const { body } = await client.call(
    "POST",
    `/api/remote-servers/${await newServer(client)}/enrolment-tokens`,
  );
  const agent = { version: "0.1.0", hostname: "web-1", os: "linux", arch: "x86_64", tools: {} };
  const enrolled = await api.app.request("/api/agent/enrol", {
    method: "POST",
    headers: { Authorization: `Bearer ${body.data.token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ agent }),
  });
  const { agent_key } = (await enrolled.json()).data;
  const send = async (headers: Record<string, string>) => {
    const response = await api.app.request("/api/agent/streams/5f0c6d0e-7a52-4b1f-9d55-1f4f6b2f9a10", {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream", "X-Stream-Size": "5", ...headers },
      body: "hello",
    });
    return response.status;
  };
  const Authorization = `Bearer ${agent_key}`;
  assert.equal(await send({}), 401);
  assert.equal(await send({ Authorization }), 411);
  assert.equal(await send({ Authorization, "Content-Length": "5" }), 421);
});
