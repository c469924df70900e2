/** Tests an agent that can reach its control plane only through a proxy. The connection has no TLS. */
import assert from "node:assert/strict";
import { httpProxyOf } from "../../agent/proxy_tunnel.ts";
import { ConnectProxy } from "../support/servers/connect_proxy.ts";
import { FROM_SOURCE, startControlPlane } from "../support/servers/control_plane.ts";
import { until } from "../support/assertions/until.ts";

const options = (proxy: ConnectProxy) => ({
  program: FROM_SOURCE,
  logLevel: "debug",
  environment: { HTTP_PROXY: proxy.url, NO_PROXY: "" },
  // A name that only the proxy can resolve.
  seen: (url: string) => url.replace("127.0.0.1", "control.example"),
});

Deno.test("an agent behind HTTP_PROXY connects to an http:// control plane by a tunnel, and works", async () => {
  await using proxy = await ConnectProxy.open();
  await using plane = await startControlPlane(options(proxy));
  assert.match(proxy.asked[0]!, /^control\.example:\d+$/);
  const place = await Deno.makeTempDir({ prefix: "rearguard-proxied-" });
  const id = await plane.api.create("/backup-destinations", { label: "x", type: "local", local_path: place });
  const checked = await plane.api.call("POST", `/backup-destinations/${id}/check`, {
    remote_server_id: plane.serverId,
  });
  await Deno.remove(place, { recursive: true });
  assert.equal(checked.body.data.ok, true, JSON.stringify(checked.body));
});

Deno.test("a proxy that refuses the tunnel is named, with the ways around it", async () => {
  await using proxy = await ConnectProxy.open();
  await using plane = await startControlPlane(options(proxy));
  proxy.refusal = "403 Forbidden";
  proxy.drop();
  await until(() => /the proxy 127\.0\.0\.1:\d+ answers 403 to a tunnel/.test(plane.agentOutput()));
  assert.match(plane.agentOutput(), /reach the control plane by https, or name its host in NO_PROXY/);
});

Deno.test("the proxy is asked for what NO_PROXY does not list", () => {
  const proxyOf = (url: string, environment: Record<string, string>) =>
    httpProxyOf(new URL(url), (name) => environment[name])?.href ?? null;
  const HTTP_PROXY = "http://proxy:3128";
  assert.equal(proxyOf("http://plane.example:8080", { HTTP_PROXY }), "http://proxy:3128/");
  assert.equal(proxyOf("http://plane.example", { http_proxy: "proxy:3128" }), "http://proxy:3128/");
  assert.equal(proxyOf("http://plane.example", { ALL_PROXY: HTTP_PROXY }), "http://proxy:3128/");
  assert.equal(proxyOf("https://plane.example", { HTTP_PROXY }), null);
  assert.equal(proxyOf("http://plane.example", {}), null);
  for (const NO_PROXY of ["*", "plane.example", ".example", "example", "x, plane.example:80"]) {
    assert.equal(proxyOf("http://plane.example", { HTTP_PROXY, NO_PROXY }), null, NO_PROXY);
  }
  for (const NO_PROXY of ["lane.example", "plane.example:81", "10.0.0.0/8"]) {
    assert.notEqual(proxyOf("http://plane.example", { HTTP_PROXY, NO_PROXY }), null, NO_PROXY);
  }
  assert.equal(proxyOf("http://10.1.2.3", { HTTP_PROXY, NO_PROXY: "10.0.0.0/8" }), null);
  assert.equal(proxyOf("http://[fd00::1]", { HTTP_PROXY, NO_PROXY: "fd00::/8" }), null);
  assert.notEqual(proxyOf("http://11.1.2.3", { HTTP_PROXY, NO_PROXY: "10.0.0.0/8,bad/99" }), null);
});
