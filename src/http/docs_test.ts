import assert from "node:assert/strict";
import { testApi } from "../../tests/support/clients/api.ts";

Deno.test("the reference page needs no other host, and serves everything that it refers to", async () => {
  await using api = await testApi();
  const slashed = await api.app.request("/docs/");
  assert.deepEqual([slashed.status, slashed.headers.get("location")], [301, "../docs"]);
  const page = await api.app.request("/docs");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type")!, /^text\/html/);
  const policy = page.headers.get("content-security-policy")!;
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  const html = await page.text();
  assert.doesNotMatch(html, /https?:\/\/|<script>|<style|style=| on\w+=/);
  const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
  assert.equal(named.length, 4);
  for (const name of named) {
    const file = await api.app.request(`/${name}`);
    assert.equal(file.status, 200, name);
    assert.match(file.headers.get("content-type")!, /^(text\/(css|javascript)|image\/png)/);
    assert.ok((await file.arrayBuffer()).byteLength > 100, name);
  }
  const start = await (await api.app.request("/docs/start.js")).text();
  assert.match(start, /url: "openapi\.json"/);
});

Deno.test("the page's scripts are those of the package, and nothing else of it is served", async () => {
  await using api = await testApi();
  const own = await Deno.readFile(new URL(import.meta.resolve("swagger-ui-dist/swagger-ui-bundle.js")));
  const served = await (await api.app.request("/docs/swagger-ui-bundle.js")).bytes();
  assert.deepEqual(served, own);
  for (
    const path of ["/docs/package.json", "/docs/../deno.json", "/docs/%2e%2e/deno.json", "/docs/index.html"]
  ) {
    assert.equal((await api.app.request(path)).status, 404, path);
  }
});
