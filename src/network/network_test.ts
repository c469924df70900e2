import assert from "node:assert/strict";
import { testCertificate } from "../../tests/support/servers/certificate.ts";
import { AddressPolicy } from "./address_policy.ts";
import { AddressRefusedError, Network, type Resolve } from "./network.ts";

const REFUSAL =
  /address, which the control plane connects to only if its operator has allowed it by ALLOW_PRIVATE_ADDRESSES$/;

interface Local extends AsyncDisposable {
  readonly port: number;
  readonly requests: Request[];
  answer: (request: Request) => Response | Promise<Response>;
}

function serveLocal(
  hostname = "127.0.0.1",
  tls: { cert: string; key: string } | null = null,
  port = 0,
): Local {
  const requests: Request[] = [];
  const server = Deno.serve({ hostname, port, onListen() {}, ...tls ?? {} }, (request) => {
    requests.push(request);
    return local.answer(request);
  });
  const local: Local = {
    port: (server.addr as Deno.NetAddr).port,
    requests,
    answer: () => new Response("here"),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return local;
}

async function refusal(promise: Promise<Response>): Promise<Error> {
  const error = await promise.then(() => null, (error) => error);
  assert.ok(error instanceof Error, "It was not refused");
  return error;
}

/** Returns a resolver that gives each answer once, and then repeats the last one. */
function fakeResolver(...answers: string[][]): { resolve: Resolve; lookups: () => number } {
  let lookups = 0;
  return {
    lookups: () => lookups,
    resolve: (_, done) => {
      const addresses = answers[Math.min(lookups++, answers.length - 1)]!;
      done(null, addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
    },
  };
}

const only = (text: string) => AddressPolicy.parse(text)!;

Deno.test("a refused address gets no connection in any notation", async () => {
  await using local = serveLocal("0.0.0.0");
  const network = new Network(AddressPolicy.publicOnly);
  const hosts =
    "127.0.0.1 127.1 127.0.0.1. 0177.0.0.1 0x7f000001 2130706433 0 0.0.0.0 localhost LOCALHOST a.localhost localhost. [::1] [::] " +
    "[::ffff:127.0.0.1] [::ffff:7f00:1] [64:ff9b::127.0.0.1] \uff11\uff12\uff17.0.0.1 127\u30020.0.1";
  for (const host of hosts.split(" ")) {
    const error = await refusal(network.fetch(`http://${host}:${local.port}/`));
    assert.ok(error instanceof AddressRefusedError, `${host}: ${error}`);
    assert.match(error.message, REFUSAL);
  }
  assert.deepEqual(local.requests, []);
  // A policy that allows the address reaches the same server.
  const answer = await new Network(only("127.0.0.0/8")).fetch(`http://127.1:${local.port}/x?y`);
  assert.deepEqual([answer.status, await answer.text()], [200, "here"]);
});

Deno.test("a name with a refused address is refused, without naming the address", async () => {
  await using local = serveLocal();
  const { resolve } = fakeResolver(["fd12::987"], ["127.0.0.1", "::1"]);
  const network = new Network(AddressPolicy.publicOnly, resolve);
  for (const kind of ["a private", "a loopback"]) {
    const error = await refusal(network.fetch(`http://inside.example.com:${local.port}/`));
    assert.ok(error instanceof AddressRefusedError);
    assert.match(error.message, new RegExp(`^inside.example.com is at ${kind} address`));
    assert.ok(!Deno.inspect(error).includes("987"));
  }
  assert.deepEqual(local.requests, []);
});

Deno.test("a name is resolved once, and the connection uses the address that was checked", async () => {
  await using allowed = serveLocal("127.0.0.2");
  await using refused = serveLocal("127.0.0.3");
  // The resolver gives an allowed address first and then a refused address, as a DNS rebinding attack does.
  const { resolve, lookups } = fakeResolver(["127.0.0.2"], ["127.0.0.3"]);
  const network = new Network(only("127.0.0.2"), resolve);
  assert.equal(await (await network.fetch(`http://moves.example.com:${allowed.port}/`)).text(), "here");
  assert.equal(lookups(), 1);
  assert.ok(
    await refusal(network.fetch(`http://moves.example.com:${refused.port}/`)) instanceof AddressRefusedError,
  );
  assert.equal(lookups(), 2);
  assert.deepEqual(refused.requests, []);
});

Deno.test("of a name's addresses, each allowed one is tried and no other", async () => {
  await using allowed = serveLocal("127.0.0.2");
  const { resolve } = fakeResolver(["127.0.0.3", "127.0.0.4", "127.0.0.2"]);
  await using trap = serveLocal("127.0.0.3", null, allowed.port);
  const network = new Network(only("127.0.0.2,127.0.0.4"), resolve);
  assert.equal(await (await network.fetch(`http://many.example.com:${allowed.port}/`)).text(), "here");
  assert.deepEqual(trap.requests, []);
});

Deno.test("redirects are not followed", async () => {
  await using local = serveLocal();
  local.answer = () =>
    new Response(null, { status: 302, headers: { location: `http://127.0.0.1:${local.port}/next` } });
  const answer = await new Network(only("127.0.0.1")).fetch(`http://127.0.0.1:${local.port}/`);
  assert.deepEqual([answer.status, local.requests.length], [302, 1]);
});

Deno.test("https verifies the name in the URL, not the address", async () => {
  await using certificate = await testCertificate("good.example.com");
  await using local = serveLocal("127.0.0.1", certificate);
  const { resolve } = fakeResolver(["127.0.0.1"]);
  const network = new Network(only("127.0.0.1"), resolve);
  const error = await refusal(network.fetch(`https://good.example.com:${local.port}/`));
  assert.match(error.message, /certificate/i);
  assert.deepEqual(local.requests, []);
  // Operators name a further trusted authority in an environment variable. A process reads this variable only
  // at its start, so the test starts a process.
  const moduleUrl = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    import { AddressPolicy } from ${moduleUrl("address_policy.ts")};
    import { Network } from ${moduleUrl("network.ts")};
    const resolve = (_, done) => done(null, [{ address: "127.0.0.1", family: 4 }]);
    const network = new Network(AddressPolicy.parse("127.0.0.1"), resolve);
    for (const name of ["good.example.com", "evil.example.com"]) {
      const answer = network.fetch("https://" + name + ":${local.port}/");
      console.log(await answer.then((each) => each.text(), (error) => error.code));
    }`;
  for (const setting of ["DENO_CERT", "NODE_EXTRA_CA_CERTS"]) {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", "--ext=ts", script],
      env: { [setting]: certificate.authority },
    }).output();
    const decoder = new TextDecoder();
    assert.equal(decoder.decode(stdout), "here\nERR_TLS_CERT_ALTNAME_INVALID\n", decoder.decode(stderr));
  }
});

Deno.test("requests and responses are like those of fetch", async () => {
  await using local = serveLocal();
  const network = new Network(only("127.0.0.1"));
  const url = `http://127.0.0.1:${local.port}/a%20b?c=d`;
  local.answer = async (request) =>
    Response.json({
      method: request.method,
      path: new URL(request.url).pathname + new URL(request.url).search,
      header: request.headers.get("x-own"),
      length: request.headers.get("content-length"),
      body: await request.text(),
    }, { status: 418, headers: { "x-answer": "yes" } });
  const sent = await network.fetch(url, { method: "POST", body: "häh", headers: { "X-Own": "1" } });
  assert.equal(sent.status, 418);
  assert.equal(sent.headers.get("x-answer"), "yes");
  assert.deepEqual(await sent.json(), {
    method: "POST",
    path: "/a%20b?c=d",
    header: "1",
    length: "4",
    body: "häh",
  });
  // S3 requires a `content-length` even if there is no body.
  assert.equal((await (await network.fetch(url, { method: "POST" })).json()).length, "0");
  local.answer = () => new Response("not sent", { headers: { "content-length": "8" } });
  const head = await network.fetch(url, { method: "HEAD" });
  assert.deepEqual([head.body, head.headers.get("content-length")], [null, "8"]);
  local.answer = () => new Response(null, { status: 204 });
  assert.equal((await network.fetch(url, { method: "DELETE" })).status, 204);
  for (const bad of ["ftp://127.0.0.1/", "file:///etc/passwd", "data:text/plain,x", "no url"]) {
    assert.ok(await refusal(network.fetch(bad)) instanceof TypeError, bad);
  }
});

Deno.test("a signal aborts before and during the response", async () => {
  await using local = serveLocal();
  const network = new Network(only("127.0.0.1"));
  const url = `http://127.0.0.1:${local.port}/`;
  const reason = new Error("enough");
  const held = Promise.withResolvers<Response>();
  const arrived = Promise.withResolvers<void>();
  local.answer = () => {
    arrived.resolve();
    return held.promise;
  };
  const before = new AbortController();
  const waiting = refusal(network.fetch(url, { signal: before.signal }));
  await arrived.promise;
  before.abort(reason);
  assert.equal(await waiting, reason);
  held.resolve(new Response());

  const letGo = Promise.withResolvers<void>();
  local.answer = () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(10)),
        cancel: () => letGo.resolve(),
      }),
    );
  const during = new AbortController();
  const answer = await network.fetch(url, { signal: during.signal });
  const reader = answer.body!.getReader();
  assert.equal((await reader.read()).value!.length, 10);
  during.abort(reason);
  assert.equal(await reader.read().then(() => null, (error) => error), reason);
  await letGo.promise;
});

Deno.test("cancelling a body closes the connection, and a broken body is an error", async () => {
  await using local = serveLocal();
  const network = new Network(only("127.0.0.1"));
  const letGo = Promise.withResolvers<void>();
  local.answer = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65536)),
        cancel: () => letGo.resolve(),
      }),
    );
  const answer = await network.fetch(`http://127.0.0.1:${local.port}/`);
  await answer.body!.cancel();
  await letGo.promise;
  using raw = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const cutting = (async () => {
    using connection = await raw.accept();
    await connection.read(new Uint8Array(4096));
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nten bytes."),
    );
  })();
  const cut = await network.fetch(`http://127.0.0.1:${(raw.addr as Deno.NetAddr).port}/`);
  assert.ok(await cut.text().then(() => null, (error) => error) instanceof Error);
  await cutting;
});
