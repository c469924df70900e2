import assert from "node:assert/strict";
import { Collector } from "../../tests/support/servers/collector.ts";
import { freePort } from "../../tests/support/servers/ports.ts";
import { activeSpan, isTraceparent, startChildSpan, startSpan, traceparentOf, withSpan } from "./tracing.ts";

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Deno.test("without tracing, a parent is passed on unchanged and no trace begins", () => {
  assert.equal(traceparentOf(startSpan("work", {}, PARENT)), PARENT);
  assert.equal(traceparentOf(startSpan("work", {})), undefined);
  assert.equal(traceparentOf(undefined), undefined);
  assert.equal(withSpan(startSpan("work", {}, PARENT), () => activeSpan()), undefined);
  assert.equal(startChildSpan("tar", {}), null);
});

Deno.test("an invalid traceparent begins no trace", () => {
  for (
    const text of [
      "",
      "x",
      PARENT.toUpperCase(),
      `${PARENT}-more`,
      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    ]
  ) {
    assert.equal(isTraceparent(text), false);
    assert.equal(traceparentOf(startSpan("work", {}, text)), undefined);
  }
});

Deno.test("spans of requests contain no path, query or error text, which may hold credentials", async () => {
  await using collector = new Collector();
  const program = `
    import { get } from "node:http";
    import { failSpan, startSpan, withSpan } from "${new URL("./tracing.ts", import.meta.url)}";
    const [served, closed] = Deno.args;
    const span = startSpan("work", {});
    await withSpan(span, async () => {
      await (await fetch(served + "/hook/canary-1?signature=canary-2")).text();
      await fetch(closed + "/canary-3").catch(() => {});
      await new Promise((done) => get(closed + "/canary-4").on("error", done));
      await new Promise((done) => get(served + "/canary-5", (answer) => answer.resume().on("end", done)));
    });
    failSpan(span, "our own words");
    span.end();
  `;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("ok"));
  const served = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--ext=js", "-", served, `http://127.0.0.1:${freePort()}`],
    cwd: new URL(".", import.meta.url),
    env: collector.environment,
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  assert.ok((await child.status).success);
  await server.shutdown();
  const work = collector.spans.find(({ name }) => name === "work")!;
  const requests = collector.spans.filter(({ name, parent }) => name === "GET" && parent === work.id);
  assert.equal(requests.length, 4);
  assert.equal(requests[0]!.attributes["url.full"], served);
  assert.doesNotMatch(collector.received, /canary/);
  assert.match(collector.received, /our own words/);
});
