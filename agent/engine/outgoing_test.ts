import assert from "node:assert/strict";
import { makeAuthority } from "../../tests/support/servers/authority.ts";
import { ConnectProxy } from "../../tests/support/servers/connect_proxy.ts";

const SEND_OUT = new URL("../../tests/support/clients/send_out.ts", import.meta.url).pathname;

Deno.test("connections trust DENO_CERT's authority and use the proxy of HTTPS_PROXY", async () => {
  await using authority = await makeAuthority();
  await using proxy = await ConnectProxy.open();
  const received: string[] = [];
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", cert: authority.cert, key: authority.key, onListen() {} },
    async (request) => {
      received.push(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`);
      return new Response(null, { headers: { etag: '"etag"' } });
    },
  );
  const url = `https://localhost:${server.addr.port}`;
  const send = async (environment: Record<string, string>) => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", SEND_OUT, url],
      env: {
        DENO_NO_UPDATE_CHECK: "1",
        DENO_CERT: "",
        DENO_TLS_CA_STORE: "",
        HTTPS_PROXY: "",
        NO_PROXY: "",
        ...environment,
      },
    }).output();
    assert.ok(stdout.length > 0, new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout));
  };
  const all = ["PUT /object bytes", "POST /api/agent/streams/stream bytes"];

  assert.equal((await send({})).put, "lost");
  assert.deepEqual(received, []);

  assert.deepEqual(await send({ DENO_CERT: authority.file }), { put: "stored", sent: "sent" });
  assert.deepEqual(received.splice(0), all);
  assert.deepEqual(proxy.asked, []);

  const proxied = { DENO_CERT: authority.file, DENO_TLS_CA_STORE: "system", HTTPS_PROXY: proxy.url };
  assert.deepEqual(await send(proxied), { put: "stored", sent: "sent" });
  assert.deepEqual(received, all);
  assert.deepEqual(proxy.asked, [url, url].map((each) => each.slice("https://".length)));
});
